"""What a statement reads: streams, tracked tables, staged files, table functions and SYSTEM$ functions.

A stream or tracked table becomes a marker in the tree, so that the statement's translation can be kept and
used again; the marker is filled with the query for its rows at every run. The rest is replaced at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from snowcellar import binds, features
from snowcellar.errors import CompilationError, NotEnoughArguments, Unsupported
from snowcellar.names import PART, QualifiedName, fold, qualify, quote
from snowcellar.session import Params, Session
from snowcellar.streams import changes
from snowcellar.streams.registry import column_list, table_columns
from snowcellar.transactions import Transaction

_SYSTEM_PREFIX = "SYSTEM$"
STAGE_LOCATION = re.compile(
    rf"@(?:(?P<own>~)|(?P<place>(?:{PART}\s*\.\s*){{0,2}})(?P<table>%)?(?P<name>{PART}))(?:/.*)?\Z", re.DOTALL
)
"""@~, @%table or @stage, each with the path that may follow."""


@dataclass(frozen=True)
class Marker:
    """A place in a translated statement that stands for a stream or a tracked table."""

    text: str
    name: QualifiedName
    is_stream: bool

    def fill(self, session: Session, transaction: Transaction) -> str:
        """The DuckDB query for the rows, as of this transaction."""
        if self.is_stream:
            stream = session.warehouse.streams.stream(self.name)
            return f"({changes.select_changes(session, transaction, stream)})"
        return f"(SELECT {column_list(table_columns(session.duck, self.name))} FROM {self.name.quoted})"


def parse_duckdb(sql: str) -> Any:
    """The tree of a DuckDB query of our own making."""
    return sqlglot.parse_one(sql, read="duckdb")


def table_name(session: Session, table: exp.Table) -> QualifiedName | None:
    """The full name of a table that a statement names; None for anything that is not a plain name."""
    if not isinstance(table.this, exp.Identifier):
        return None
    parts = [
        fold_identifier(part)
        for part in (table.args.get("catalog"), table.args.get("db"), table.this)
        if part
    ]
    if (len(parts) < 3 and session.database is None) or (len(parts) < 2 and session.schema is None):
        return None
    context = [session.database or "", session.schema or ""]
    return QualifiedName(*context[: 3 - len(parts)], *parts)


def fold_identifier(identifier: exp.Expr) -> str:
    """The name that an identifier of a tree stands for."""
    return identifier.name if identifier.args.get("quoted") else fold(identifier.name)


def sources(session: Session, tree: exp.Expr) -> Iterator[tuple[exp.Table, QualifiedName]]:
    """The tables that a statement reads, with their full names; names of CTEs and DML targets left out."""
    target = dml_target(tree)
    for table in list(tree.find_all(exp.Table)):
        if table is target or isinstance(table.parent, exp.Schema) or is_cte(table):
            continue
        if name := table_name(session, table):
            yield table, name


def require_context(session: Session, tree: exp.Expr) -> None:
    """Refuse a table named without a database or schema in a session that has none."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not is_cte(table):
            name = ".".join(part.sql(dialect="snowflake") for part in table.parts)
            qualify(name, session.database, session.schema)


def dml_target(tree: exp.Expr) -> exp.Table | None:
    """The table that a DML statement writes."""
    if isinstance(tree, exp.TruncateTable):
        target = tree.expressions[0]
    elif isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    else:
        return None
    return target if isinstance(target, exp.Table) else None


def is_cte(table: exp.Table) -> bool:
    """Whether a name stands for a common table expression: one of a WITH around it, or before it."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return False
    name = fold_identifier(table.this)
    inner: exp.Expr = table
    while (outer := inner.parent) is not None:
        if isinstance(outer, exp.With):
            # Within the definition of one of them: those before it, and itself if it may recur.
            position = next(i for i, cte in enumerate(outer.expressions) if cte is inner)
            known = outer.expressions[: position + bool(outer.args.get("recursive"))]
        else:
            with_ = outer.args.get("with_")
            known = with_.expressions if with_ and with_ is not inner else []
        if any(fold_identifier(cte.args["alias"].this) == name for cte in known):
            return True
        inner = outer
    return False


def mark(session: Session, tree: exp.Expr) -> list[Marker]:
    """Put markers where the tree reads streams and tracked tables."""
    registry = session.warehouse.streams
    markers: dict[QualifiedName, Marker] = {}
    for table, name in list(sources(session, tree)):
        if table.args.get("when"):
            raise Unsupported("time travel (AT | BEFORE)")
        if name not in registry.streams and name not in registry.tables:
            continue
        text = f"SNOWCELLAR$RELATION_{len(markers)}"
        marker = markers.setdefault(name, Marker(quote(text), name, name in registry.streams))
        if table.args.get("alias") is None:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))
        table.set("this", exp.to_identifier(marker.text.strip('"'), quoted=True))
        table.set("db", None)
        table.set("catalog", None)
    return list(markers.values())


def expand_functions(session: Session, tree: exp.Expr, params: Params = None) -> bool:
    """Evaluate SYSTEM$ functions and table functions in place; whether there were any."""
    from snowcellar.user_functions import calls

    found = calls.expand(session, tree, params)
    for call in list(tree.find_all(exp.Anonymous)):
        name = str(call.this).upper()
        if name.startswith(_SYSTEM_PREFIX):
            found = True
            literal = _system_literal(session, name, call)
            if isinstance(call.parent, exp.Select) and call.arg_key == "expressions":
                # A bare call keeps its text as the column's name.
                literal = exp.alias_(literal, call.sql(dialect="snowflake"), quoted=True)
            call.replace(literal)
    for rows in list(tree.find_all(exp.TableFromRows)):
        found = _replace_table_function(session, rows, params) or found
    return found


def _system_literal(session: Session, name: str, call: exp.Anonymous) -> exp.Expr:
    from snowcellar.grants import functions

    arguments = []
    for argument in call.expressions:
        if not isinstance(argument, exp.Literal | exp.Boolean | exp.Null):
            shown = argument.sql(dialect="snowflake")
            raise CompilationError(f"argument {shown} to function {name} needs to be constant")
        arguments.append(argument.name)
    return functions.call(session, name, arguments)


def _replace_table_function(session: Session, rows: exp.TableFromRows, params: Params) -> bool:
    call = rows.this
    while isinstance(call, exp.Dot):
        call = call.expression
    if not isinstance(call, exp.Func):
        raise Unsupported(rows.sql(dialect="snowflake"), "Name the table itself.")
    name = call.name.upper() if isinstance(call, exp.Anonymous) else call.sql_name()
    function = features.table_function(name)
    if function is None:
        return False  # FLATTEN, GENERATOR and the like: fakesnow's
    arguments = _Arguments(name)
    for position, argument in enumerate(call.expressions):
        if isinstance(argument, exp.Kwarg):
            arguments[argument.this.name.upper()] = _bound(argument.expression, params)
        else:
            arguments[str(position)] = _bound(argument, params)
    alias = rows.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    subquery = exp.Subquery(this=function(session, arguments), alias=alias.copy())
    for key in ("joins", "laterals", "pivots", "sample"):
        if value := rows.args.get(key):
            subquery.set(key, value)
    rows.replace(subquery)
    return True


class _Arguments(dict[str, exp.Expr]):
    """What a table function is given, by name or position; one that it must have and has not is told."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: str) -> exp.Expr:
        raise NotEnoughArguments(self._function)


def _bound(argument: exp.Expr, params: Params) -> exp.Expr:
    """An argument of a table function, which is called before the statement runs, with its bound value."""
    if not isinstance(argument, exp.Placeholder) or params is None:
        return argument
    return exp.convert((binds.values([argument.name], params) or {})[argument.name])


def arrow_query(session: Session, table: pa.Table) -> exp.Query:
    """A query over an Arrow table, for table functions whose rows live in memory."""
    return parse_duckdb(f'SELECT * FROM "{session.register(table)}"')  # type: ignore[no-any-return]
