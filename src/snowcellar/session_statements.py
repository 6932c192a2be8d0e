"""ALTER SESSION, USE WAREHOUSE, SHOW PARAMETERS, SYSTEM$WAIT and context functions.

Source: https://docs.snowflake.com/en/sql-reference/parameters, .../functions/system_wait
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from snowcellar import show
from snowcellar.errors import CompilationError, WarehouseError
from snowcellar.names import NAME, fold
from snowcellar.result import Result
from snowcellar.session import DEFAULT_PARAMETERS, Session

_SET = re.compile(r"ALTER\s+SESSION\s+SET\s+(?P<settings>.+)\Z", re.IGNORECASE | re.DOTALL)
_UNSET = re.compile(r"ALTER\s+SESSION\s+UNSET\s+(?P<names>.+)\Z", re.IGNORECASE | re.DOTALL)
_SETTING = re.compile(r"\s*,?\s*(?P<name>\w+)\s*=\s*(?P<value>'(?:[^']|'')*'|[\w.-]+)", re.DOTALL)
_USE = re.compile(rf"USE\s+WAREHOUSE\s+(?P<name>{NAME})\Z", re.IGNORECASE)
_SHOW_PARAMETERS = re.compile(
    r"SHOW\s+PARAMETERS(?P<like>\s+LIKE\s+'[^']*')?(?:\s+(?:IN|FOR)\s+(?:SESSION|ACCOUNT|USER\s+\S+))?\Z",
    re.IGNORECASE,
)
_DONE = "Statement executed successfully."
_UNIT_SECONDS = {"SECONDS": 1.0, "MILLISECONDS": 0.001, "MINUTES": 60.0, "HOURS": 3600.0, "DAYS": 86400.0}


def alter_session_set(session: Session, match: re.Match[str]) -> Result:
    """ALTER SESSION SET NAME = value ..."""
    settings = [(setting["name"], setting["value"]) for setting in _SETTING.finditer(match["settings"])]
    if not settings:
        raise CompilationError(f"syntax error: unexpected '{match['settings']}'.")
    for name, value in settings:
        session.set_parameter(
            name, value[1:-1].replace("''", "'") if value.startswith("'") else _number(value)
        )
    return Result.status(_DONE)


def _number(value: str) -> str | int:
    return int(value) if re.fullmatch(r"-?\d+", value) else value


def alter_session_unset(session: Session, match: re.Match[str]) -> Result:
    """ALTER SESSION UNSET NAME, ...: back to the default."""
    for name in re.findall(r"\w+", match["names"]):
        session.set_parameter(name, DEFAULT_PARAMETERS.get(name.upper(), ""))
    return Result.status(_DONE)


def use_warehouse(session: Session, match: re.Match[str]) -> Result:
    """USE WAREHOUSE."""
    session.virtual_warehouse = fold(match["name"])
    return Result.status(_DONE)


def show_parameters(session: Session, match: re.Match[str]) -> Result:
    """SHOW PARAMETERS [LIKE ...] IN SESSION."""
    names = ("key", "value", "default", "level", "description", "type")
    like = (
        re.compile(show.like_pattern(match["like"].split("'")[1]), re.IGNORECASE) if match["like"] else None
    )
    rows = [
        [key, _text(value), _text(DEFAULT_PARAMETERS.get(key, "")), "SESSION", "", _type(value)]
        for key, value in sorted(session.parameters.items())
        if like is None or like.fullmatch(key)
    ]
    return Result.rows([(name, pa.string()) for name in names], rows)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(value: object) -> str:
    return {bool: "BOOLEAN", int: "NUMBER"}.get(type(value), "STRING")


def wait(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$WAIT(amount [, unit])."""
    amount, unit = float(arguments[0]), (arguments[1] if len(arguments) > 1 else "SECONDS").upper()
    if unit not in _UNIT_SECONDS:
        raise CompilationError(
            f"Invalid unit '{unit}' for SYSTEM$WAIT; use one of {', '.join(_UNIT_SECONDS)}."
        )
    interrupted = threading.Event()
    outer, session.on_interrupt = session.on_interrupt, interrupted.set
    try:
        if interrupted.wait(amount * _UNIT_SECONDS[unit]):
            raise WarehouseError("SQL execution canceled", 604, "57014")
    finally:
        session.on_interrupt = outer
    return exp.Literal.string(f"waited {arguments[0]} {unit.lower()}")


STATEMENTS = [
    (_SET, alter_session_set),
    (_UNSET, alter_session_unset),
    (_USE, use_warehouse),
    (_SHOW_PARAMETERS, show_parameters),
]
SYSTEM_FUNCTIONS = {"SYSTEM$WAIT": wait}
