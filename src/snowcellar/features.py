"""The features, and which one runs a statement.

A feature is a module that lists any of
    STATEMENTS        (pattern, handler) pairs for the statements it runs itself
    BOUND_STATEMENTS  the same, for handlers that also take the statement's bound values
    RUN_TO_DESCRIBE   those of its patterns whose statements have to run to tell their columns
    RULES             handler -> who may run it (snowcellar.grants.rules): every handler needs one
    SYSTEM_FUNCTIONS  name -> function for SYSTEM$NAME(...) with literal arguments
    TABLE_FUNCTIONS   name -> function for TABLE(INFORMATION_SCHEMA.NAME(...)) and TABLE(NAME(...))
    CATALOG_DDL       tables that it keeps in every database ({meta} is their schema)
    GLOBAL_DDL        tables that it keeps for the whole account
    start, stop       called with the warehouse when the server starts and stops
    on_attach         called with the warehouse and a database's name when its file has been attached
    on_drop           called with the warehouse and a database's name when it has been dropped
    on_drop_schema    called with the warehouse and a schema's database and name when it has been dropped
and everything else goes to the SQL engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from snowcellar.errors import WarehouseError
from snowcellar.result import Result
from snowcellar.statement import Statement

if TYPE_CHECKING:
    from snowcellar.session import Params, Session

Handler = Callable[["Session", re.Match[str]], Result]
"""Runs a statement that matched the handler's pattern."""

SystemFunction = Callable[["Session", Sequence[str]], exp.Expr]
"""From the text of the literal arguments to the literal that the call stands for."""

TableFunction = Callable[["Session", Mapping[str, exp.Expr]], exp.Query]
"""From the arguments (by upper-case name; positional ones as '0', '1', ...) to a DuckDB query."""

_SHOWS = re.compile(r"(?:SHOW|DESC|DESCRIBE|LIST|LS)\s", re.IGNORECASE)

MODULES: list[ModuleType] = []


def load(names: Sequence[str]) -> None:
    """Import the features, once, in the order in which they are asked."""
    if not MODULES:
        MODULES.extend(import_module(name) for name in names)


def run(session: Session, statement: Statement, params: Params) -> Result:
    """Run a statement by the first feature that recognises it, else by the SQL engine."""
    try:
        return _run(session, statement, params)
    finally:
        session.warehouse.descriptions.ran(statement)


def _run(session: Session, statement: Statement, params: Params) -> Result:
    from snowcellar import engine

    for module in MODULES:
        for pattern, handler in getattr(module, "STATEMENTS", ()):
            if match := statement.matches(pattern):
                return _guarded(session, handler, match, partial(handler, session, match))
        for pattern, bound_handler in getattr(module, "BOUND_STATEMENTS", ()):
            if match := statement.matches(pattern):
                return _guarded(session, bound_handler, match, partial(bound_handler, session, match, params))
    return engine.run(session, statement, params)


def _guarded(
    session: Session, handler: Callable[..., Result], match: re.Match[str], run: Callable[[], Result]
) -> Result:
    """Run a handler if its rule lets the session's roles; one that nobody wrote a rule for is refused."""
    for module in MODULES:
        if rule := getattr(module, "RULES", {}).get(handler):
            return rule(session, match, run)  # type: ignore[no-any-return]
    raise WarehouseError(
        f"SQL access control error:\nno rule says who may run this statement ({handler.__name__}).",
        3001,
        "42501",
    )


def describe(session: Session, statement: Statement) -> Result:
    """The columns that a statement would answer with; statements that only show something are run."""
    from snowcellar import engine

    patterns = [_SHOWS, *(each for module in MODULES for each in getattr(module, "RUN_TO_DESCRIBE", ()))]
    if any(statement.matches(pattern) for pattern in patterns):
        return run(session, statement, None)
    return engine.describe(session, statement)


def system_function(name: str) -> SystemFunction | None:
    """The implementation of SYSTEM$NAME, by its upper-case name."""
    return _lookup("SYSTEM_FUNCTIONS", name)  # type: ignore[no-any-return]


def table_function(name: str) -> TableFunction | None:
    """The implementation of a table function, by its upper-case name."""
    return _lookup("TABLE_FUNCTIONS", name)  # type: ignore[no-any-return]


def _lookup(registry: str, name: str) -> Any:
    for module in MODULES:
        if function := getattr(module, registry, {}).get(name):
            return function
    return None
