"""MERGE, on DuckDB's own MERGE INTO.

Source: https://docs.snowflake.com/en/sql-reference/sql/merge (SEMANTICS 23)
Deviation: several source rows that would all DELETE one target row are an error here and fine in Snowflake.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import duckdb
import pyarrow as pa
from fakesnow import statement_type
from sqlglot import exp

from snowcellar.errors import DuplicateRowInDml, WarehouseError
from snowcellar.names import quote
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.streams import capture
from snowcellar.streams.registry import HIDDEN_COLUMNS, TrackedTable
from snowcellar.transactions import Transaction

_ACTIONS = (("INSERT", "inserted"), ("UPDATE", "updated"), ("DELETE", "deleted"))
_TWICE = "cannot affect the same target row more than once"


def run(
    session: Session, transaction: Transaction, tree: exp.Merge, params: Params, tracked: TrackedTable | None
) -> Result:
    """Merge, and count what each kind of clause did; the tree's sources are expanded already."""
    from snowcellar.engine import to_duckdb

    columns = count_columns(tree)
    _unqualify_set_columns(tree)
    if tracked:
        touched = to_duckdb(session, _pairs(tree, "*", kind="semi"), params)
        capture.record_before_images(session, transaction, tracked, touched.removeprefix("SELECT * "))
    sql = to_duckdb(session, tree, params) + " RETURNING merge_action"
    try:
        actions = session.duck.execute(sql, params or None).to_arrow_table().column(0)
    except duckdb.InvalidInputException as error:
        if _TWICE not in str(error):
            raise
        raise DuplicateRowInDml(_duplicate_row(session, tree, params)) from error
    counts = Counter({item["values"]: item["counts"] for item in actions.value_counts().to_pylist()})
    values = {f"number of rows {label}": counts[action] for action, label in _ACTIONS}
    table = pa.table({name: pa.array([values[name]], pa.int64()) for name in columns})
    return Result(table, rows_affected=sum(values.values()), statement_type=statement_type.MERGE)


def count_columns(tree: exp.Merge) -> tuple[str, ...]:
    """The result's columns: one for each kind of clause that the statement has."""
    kinds = {_kind(when) for when in tree.args["whens"].expressions}
    return tuple(f"number of rows {label}" for action, label in _ACTIONS if action in kinds)


def _kind(when: exp.When) -> str:
    then = when.args["then"]
    if isinstance(then, exp.Update):
        return "UPDATE"
    return "INSERT" if isinstance(then, exp.Insert) else "DELETE"


def _unqualify_set_columns(tree: exp.Merge) -> None:
    """SET t.a = ... and INSERT (t.a) name the target's columns; DuckDB takes them bare."""
    for when in tree.args["whens"].expressions:
        then = when.args["then"]
        if isinstance(then, exp.Update):
            targets = [assignment.this for assignment in then.expressions]
        elif isinstance(then, exp.Insert) and then.this is not None:
            targets = then.this.expressions
        else:
            continue
        for column in targets:
            if isinstance(column, exp.Column):
                column.set("table", None)
                column.set("db", None)
                column.set("catalog", None)


def _pairs(tree: exp.Merge, what: str, kind: str) -> exp.Select:
    """A query over the pairs of target and source rows that the ON condition joins."""
    query = exp.select(what).from_(tree.this.copy())
    return query.join(tree.args["using"].copy(), on=tree.args["on"].copy(), join_type=kind)


def _duplicate_row(session: Session, tree: exp.Merge, params: Params) -> str:
    """The values of one target row that the source matches twice, as the error's text shows them.

    The failure has ended DuckDB's transaction, so this reads the committed rows; empty when it cannot.
    """
    from snowcellar.engine import to_duckdb

    with contextlib.suppress(duckdb.Error, WarehouseError), session.aside() as duck:
        pairs = _pairs(tree, f"{quote(tree.this.alias_or_name)}.rowid", kind="inner")
        twice = f"{to_duckdb(session, pairs, params)} GROUP BY ALL HAVING count(*) > 1"
        hidden = ", ".join(f"'{name}'" for name in HIDDEN_COLUMNS)
        columns = f"COLUMNS(name -> name NOT IN ({hidden}))"
        target = to_duckdb(session, exp.select("*").from_(tree.this.copy()), None).replace("*", columns, 1)
        row = duck.execute(f"{target} WHERE rowid IN ({twice}) LIMIT 1", params or None).fetchone()
        return ", ".join(_shown(value) for value in row) if row else ""
    return ""


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    return f'"{value}"' if isinstance(value, str) else str(value)
