"""SET and UNSET of session variables, one or several, SHOW VARIABLES, and GETVARIABLE.

Source: https://docs.snowflake.com/en/sql-reference/session-variables
A value is what its expression comes to when it is set.
"""

from __future__ import annotations

import re

import pyarrow as pa
from sqlglot import exp

from snowcellar import show
from snowcellar.errors import CompilationError
from snowcellar.grants import rules
from snowcellar.names import PART, fold, literal
from snowcellar.result import Result
from snowcellar.session import Session

_NAMES = rf"(?P<one>{PART})|\(\s*(?P<several>{PART}(?:\s*,\s*{PART})*)\s*\)"
_SET = re.compile(rf"SET\s+(?:{_NAMES})\s*=\s*(?P<value>.+)\Z", re.IGNORECASE | re.DOTALL)
_UNSET = re.compile(rf"UNSET\s+(?:{_NAMES})\s*\Z", re.IGNORECASE)
_SHOW = re.compile(r"SHOW\s+VARIABLES(?:\s+LIKE\s+'(?P<like>[^']*)')?\s*\Z", re.IGNORECASE)
GETVARIABLE = "GETVARIABLE"
_DONE = "Statement executed successfully."
_LONGEST = 256


def set_variables(session: Session, match: re.Match[str]) -> Result:
    """SET NAME = expression, and SET (NAME, ...) = (expression, ...)."""
    names, value = _names(match), match["value"].strip()
    # A subquery stands within parentheses of its own; several values share one pair.
    listed = value[1:-1] if match["several"] and value.startswith("(") and value.endswith(")") else value
    columns = session.execute(f"SELECT {listed}").table
    if len(columns.column_names) != len(names):
        raise CompilationError(
            f"Number of values ({len(columns.column_names)}) does not match the number of variables "
            f"({len(names)})."
        )
    values = [column[0].as_py() if len(column) else None for column in columns.columns]
    for name, given in zip(names, values, strict=True):
        if isinstance(given, str) and len(given) > _LONGEST:
            raise CompilationError(
                f"Assignment to '{name}' not done because value exceeds size limit for variables. Its size "
                f"is {len(given)}; the limit is {_LONGEST} (internal storage size in bytes).",
                1026,
                "22001",
            )
        session.fake.variables._variables[name] = _literal(given)
    return Result.status(_DONE)


def unset_variables(session: Session, match: re.Match[str]) -> Result:
    """UNSET NAME, and UNSET (NAME, ...)."""
    for name in _names(match):
        session.fake.variables._variables.pop(name, None)
    return Result.status(_DONE)


def show_variables(session: Session, match: re.Match[str]) -> Result:
    """SHOW VARIABLES [LIKE ...]."""
    like = re.compile(show.like_pattern(match["like"]), re.IGNORECASE) if match["like"] else None
    rows = [
        [str(session.number), name, _shown(text), "text" if "'" in text else "fixed"]
        for name, text in sorted(session.fake.variables._variables.items())
        if like is None or like.fullmatch(name)
    ]
    return Result.rows([(name, pa.string()) for name in ("session_id", "name", "value", "type")], rows)


def value_of_variable(session: Session, node: exp.Expr) -> exp.Expr:
    """GETVARIABLE('NAME') is the value as VARCHAR, or NULL.

    Source: https://docs.snowflake.com/en/sql-reference/functions/getvariable
    """
    if not isinstance(node, exp.Anonymous) or str(node.this).upper() != GETVARIABLE:
        return node
    name = node.expressions[0]
    if not isinstance(name, exp.Literal):
        shown = name.sql(dialect="snowflake")
        raise CompilationError(f"argument {shown} to function {GETVARIABLE} needs to be constant")
    text = session.fake.variables._variables.get(name.name)
    return exp.cast(exp.Null(), "TEXT") if text is None else exp.Literal.string(_shown(text))


def _shown(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _literal(value: object) -> str:
    return literal(value) if isinstance(value, str) else exp.convert(value).sql(dialect="snowflake")


def _names(match: re.Match[str]) -> list[str]:
    written = [match["one"]] if match["one"] else re.findall(PART, match["several"])
    return [fold(name) for name in written]


STATEMENTS = [(_SET, set_variables), (_UNSET, unset_variables), (_SHOW, show_variables)]
# The expression is run as a query, which is checked.
RULES = dict.fromkeys((set_variables, unset_variables, show_variables), rules.free)
