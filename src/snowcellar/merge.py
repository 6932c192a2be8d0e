"""MERGE, on DuckDB's own MERGE INTO.

Source: https://docs.snowflake.com/en/sql-reference/sql/merge (SEMANTICS 23)
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from snowcellar import large_results
from snowcellar.binds import DuckSql, Params
from snowcellar.errors import DuplicateRowInDml
from snowcellar.session import Session
from snowcellar.streams.registry import HIDDEN_COLUMNS

_ACTIONS = (("INSERT", "inserted"), ("UPDATE", "updated"), ("DELETE", "deleted"))
_SOURCE, _ROW, _ACTION = "SNOWCELLAR$SOURCE", "SNOWCELLAR$ROWID", "SNOWCELLAR$ACTION"
_ONCE = {
    True: f'"{_ROW}" IS NULL OR "{_ACTION}" IS DISTINCT FROM \'DELETE\' '
    f'OR row_number() OVER (PARTITION BY "{_ROW}", "{_ACTION}") = 1',
    False: f'"{_ROW}" IS NULL OR row_number() OVER (PARTITION BY "{_ROW}" ORDER BY "{_ACTION}" IS NULL) = 1',
}
"""The pairs to keep, by ERROR_ON_NONDETERMINISTIC_MERGE."""
_TWICE = "cannot affect the same target row more than once"


def run(session: Session, sql: DuckSql, duplicates: DuckSql, params: Params) -> dict[str, int]:
    """Merge, and count what was done, by the result's column names.

    duplicates: the query of `duplicate_rows`, for the error's text.
    """
    try:
        actions = session.duck.execute(sql.text, sql.values(params)).to_arrow_reader()
        counts: Counter[str] = Counter()
        for batch in large_results.batches(actions):
            for item in batch.column(0).value_counts().to_pylist():
                counts[item["values"]] += item["counts"]
    except duckdb.InvalidInputException as error:
        if _TWICE not in str(error):
            raise
        raise DuplicateRowInDml(_one_row(session, duplicates, params)) from error
    return {f"number of rows {label}": counts[action] for action, label in _ACTIONS}


def count_columns(tree: exp.Merge) -> tuple[str, ...]:
    """The result's columns: one for each kind of clause that the statement has."""
    kinds = {_kind(when) for when in tree.args["whens"].expressions}
    return tuple(f"number of rows {label}" for action, label in _ACTIONS if action in kinds)


def _kind(when: exp.When) -> str:
    then = when.args["then"]
    if isinstance(then, exp.Update):
        return "UPDATE"
    return "INSERT" if isinstance(then, exp.Insert) else "DELETE"


def unqualify_set_columns(tree: exp.Merge) -> None:
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
                for part in ("table", "db", "catalog"):
                    column.set(part, None)


def name_inserted_columns(tree: exp.Merge, columns: Sequence[exp.Identifier]) -> None:
    """Name the columns of an INSERT that names none, so that hidden columns are left to their defaults."""
    for when in tree.args["whens"].expressions:
        then = when.args["then"]
        if isinstance(then, exp.Insert) and then.this is None:
            then.set("this", exp.Tuple(expressions=[exp.column(column.copy()) for column in columns]))


def may_match_twice(tree: exp.Merge, *, deterministic: bool) -> bool:
    """Whether a target row that several source rows match may be none too many for the statement."""
    return not deterministic or any(
        when.args.get("matched") and _kind(when) == "DELETE" for when in tree.args["whens"].expressions
    )


def match_once(tree: exp.Merge, *, deterministic: bool) -> None:
    """Of the source rows that would DELETE one target row keep one; of all that match it, if anything goes.

    The source becomes its pairs with the target, by rowid, and its rows that match nothing.
    """
    source, target = tree.args["using"], _target(tree)
    if not source.alias_or_name:
        source.set("alias", exp.TableAlias(this=exp.to_identifier(_SOURCE, quoted=True)))
    alias = source.args.get("alias") or exp.TableAlias(this=source.this.copy())
    row, kept = exp.column("rowid", table=target), exp.column(_ROW, quoted=True)
    action = exp.Case()
    for when in tree.args["whens"].expressions:
        if when.args.get("matched"):
            condition = when.args.get("condition")
            action = action.when(
                condition.copy() if condition else exp.true(), exp.Literal.string(_kind(when))
            )
    found = exp.select(exp.column(exp.Star(), table=alias.this.copy())).from_(source.copy())
    found = found.join(tree.this.copy(), on=tree.args["on"].copy(), join_type="left")
    found = found.select(exp.alias_(row.copy(), _ROW, quoted=True), exp.alias_(action, _ACTION, quoted=True))
    once = exp.select("*").from_(found.subquery("SNOWCELLAR$PAIRS", copy=False))
    once.set("qualify", exp.Qualify(this=exp.condition(_ONCE[deterministic], dialect="duckdb")))
    tree.set("using", exp.Subquery(this=once, alias=alias.copy()))
    tree.set("on", exp.EQ(this=row, expression=kept))


def _target(tree: exp.Merge) -> exp.Identifier:
    quoted = tree.this.this.args.get("quoted")
    name: exp.Identifier = exp.to_identifier(tree.this.alias_or_name, quoted=quoted)
    return name


def pairs(tree: exp.Merge, what: str, kind: str) -> exp.Select:
    """A query over the pairs of target and source rows that the ON condition joins."""
    query = exp.select(what).from_(tree.this.copy())
    return query.join(tree.args["using"].copy(), on=tree.args["on"].copy(), join_type=kind)


def duplicate_rows(tree: exp.Merge) -> exp.Select:
    """A query for the target rows that several source rows match."""
    row = exp.column("rowid", table=_target(tree))
    twice = pairs(tree, "1", "inner").select(row, append=False).group_by(row.copy())
    twice = twice.having(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1)))
    query = exp.select("*").from_(tree.this.copy())
    return query.where(row.copy().isin(query=twice)).limit(1)


def _one_row(session: Session, duplicates: DuckSql, params: Params) -> str:
    """The values of one target row that the source matches twice, as the error's text shows them.

    The failure has ended DuckDB's transaction, so this reads the committed rows; empty when it cannot.
    """
    with contextlib.suppress(duckdb.Error), session.aside() as duck:
        rows: pa.Table = duck.execute(duplicates.text, duplicates.values(params)).to_arrow_table()
        shown = [column[0].as_py() for name, column in _visible(rows) if len(column)]
        return ", ".join(_shown(value) for value in shown)
    return ""


def _visible(rows: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    pairs_ = zip(rows.column_names, rows.columns, strict=True)
    return [(name, column) for name, column in pairs_ if name not in HIDDEN_COLUMNS]


def _shown(value: object) -> str:
    if value is None:
        return "NULL"
    return f'"{value}"' if isinstance(value, str) else str(value)
