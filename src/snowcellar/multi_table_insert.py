"""INSERT ALL and INSERT FIRST, with or without conditions, and INSERT OVERWRITE.

Source: https://docs.snowflake.com/en/sql-reference/sql/insert-multi-table and .../insert
The rows are held in a temporary table while they are written, all in one transaction.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import pyarrow as pa
from fakesnow import statement_type
from sqlglot import exp

from snowcellar import binds, engine, materialized
from snowcellar.errors import CompilationError
from snowcellar.grants import rules
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement

_MULTI = re.compile(r"INSERT\s+(?P<overwrite>OVERWRITE\s+)?(?:ALL|FIRST)\b", re.IGNORECASE)
_OVERWRITE = re.compile(r"INSERT\s+OVERWRITE\b", re.IGNORECASE)


@dataclass(frozen=True)
class Branch:
    """One INTO of a multi-table insert."""

    target: str
    columns: list[str]
    values: list[exp.Expr] | None
    """None for all of the source's columns."""
    condition: exp.Expr | None


def insert_multi(session: Session, match: re.Match[str], params: Params) -> Result:
    """INSERT [OVERWRITE] { ALL | FIRST } [WHEN ... THEN] INTO ... [ELSE INTO ...] query."""
    branches, source = _read(match.string)
    counts = {branch.target: 0 for branch in branches}
    with (
        session.writing() as transaction,
        materialized.rows_of(session, transaction, source, params) as rows,
    ):
        for target in counts if match["overwrite"] else ():
            _run(session, f"DELETE FROM {target}", None)
        for branch in branches:
            counts[branch.target] += _run(session, _insert(branch, rows), params).rows_affected or 0
    columns = {
        f"number of rows inserted into {target.split('.')[-1]}": pa.array([count], pa.int64())
        for target, count in counts.items()
    }
    return Result(
        pa.table(columns), rows_affected=sum(counts.values()), statement_type=statement_type.MULTI_INSERT
    )


def insert_overwrite(session: Session, match: re.Match[str], params: Params) -> Result:
    """INSERT OVERWRITE INTO: what the table held goes, in the same transaction."""
    tree = Statement(match.string).tree
    if not isinstance(tree, exp.Insert) or tree.expression is None:
        raise CompilationError("syntax error: unexpected 'OVERWRITE'.")
    binds.name_identifiers(tree, params)
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    source = tree.expression
    if isinstance(source, exp.Values):
        source = exp.select("*").from_(source.copy())
    with (
        session.writing() as transaction,
        materialized.rows_of(session, transaction, source.sql(dialect="snowflake"), params) as rows,
    ):
        _run(session, f"DELETE FROM {table.sql(dialect='snowflake')}", None)
        return _run(session, f"INSERT INTO {tree.this.sql(dialect='snowflake')} SELECT * FROM {rows}", None)


def _run(session: Session, sql: str, params: Params) -> Result:
    """A part of the statement, which the history shows as one."""
    return engine.run(session, Statement(sql), params)


@functools.lru_cache(maxsize=64)
def _read(text: str) -> tuple[tuple[Branch, ...], str]:
    """The branches and the query of a text: a pipeline sends the same long ones again and again."""
    tree = Statement(text).tree
    if not isinstance(tree, exp.MultitableInserts):
        raise CompilationError(f"syntax error: unexpected '{text.split()[1]}'.")
    return tuple(_branches(tree)), tree.args["source"].sql(dialect="snowflake")


def _branches(tree: exp.MultitableInserts) -> list[Branch]:
    first = str(tree.args["kind"]).upper() == "FIRST"
    branches: list[Branch] = []
    before: list[exp.Expr] = []
    condition: exp.Expr | None = None
    for part in tree.expressions:
        given = part.args.get("expression")
        if part.args.get("else_"):
            condition = _none_of(before)
        elif given is not None:
            condition = exp.and_(given.copy(), _none_of(before)) if first and before else given
            before.append(given)
        branches.append(_branch(part.this, condition))
    return branches


def _none_of(conditions: list[exp.Expr]) -> exp.Expr:
    """A row for which none of the conditions is true; one that is NULL is not."""
    return exp.and_(
        *(exp.not_(exp.func("COALESCE", exp.paren(each.copy()), exp.false())) for each in conditions)
    )


def _branch(insert: exp.Insert, condition: exp.Expr | None) -> Branch:
    schema = insert.this if isinstance(insert.this, exp.Schema) else None
    table = schema.this if schema else insert.this
    columns = [column.sql(dialect="snowflake") for column in schema.expressions] if schema else []
    values = None
    if isinstance(insert.expression, exp.Values):
        values = list(insert.expression.expressions[0].expressions)
        if columns:
            # A column that is left out gets its default.
            given = zip(columns, values, strict=True)
            kept = [(column, value) for column, value in given if not _is_default(value)]
            columns, values = [column for column, _ in kept], [value for _, value in kept]
        elif any(map(_is_default, values)):
            raise CompilationError("syntax error: DEFAULT needs the columns to be named.")
    return Branch(table.sql(dialect="snowflake"), columns, values, condition)


def _is_default(value: exp.Expr) -> bool:
    return isinstance(value, exp.Var) and value.name.upper() == "DEFAULT"


def _insert(branch: Branch, rows: str) -> str:
    columns = f" ({', '.join(branch.columns)})" if branch.columns else ""
    values = ", ".join(value.sql(dialect="snowflake") for value in branch.values or []) or "*"
    where = f" WHERE {branch.condition.sql(dialect='snowflake')}" if branch.condition is not None else ""
    return f"INSERT INTO {branch.target}{columns} SELECT {values} FROM {rows}{where}"


BOUND_STATEMENTS = [(_MULTI, insert_multi), (_OVERWRITE, insert_overwrite)]
# Each statement that it is made of is checked for itself.
RULES = dict.fromkeys((insert_multi, insert_overwrite), rules.free)
