"""Joins, numberings and times as Snowpark writes them, which DuckDB or sqlglot does not take."""

from __future__ import annotations

from sqlglot import exp

from snowcellar.session import Session

_CONDITIONS = ("on", "using", "side", "method", "match_condition")
_SOURCES = (exp.Table, exp.Subquery)
_SEQUENCES = {"SEQ1", "SEQ2", "SEQ4", "SEQ8"}


def join_of_all(session: Session, node: exp.Expr) -> exp.Expr:
    """A INNER JOIN B without a condition joins every row with every row.

    Source: https://docs.snowflake.com/en/sql-reference/constructs/join
    """
    if isinstance(node, exp.Join) and node.kind == "INNER" and not any(map(node.args.get, _CONDITIONS)):
        node.set("kind", "CROSS")
    return node


def numbered_by_sequence(session: Session, node: exp.Expr) -> exp.Expr:
    """ROW_NUMBER() OVER (ORDER BY SEQ8()) counts the rows as they come, as Session.range does."""
    if not isinstance(node, exp.Window) or not isinstance(order := node.args.get("order"), exp.Order):
        return node
    kept = [each for each in order.expressions if not _is_sequence(each.this)]
    if len(kept) < len(order.expressions):
        node.set("order", exp.Order(expressions=kept) if kept else None)
    return node


def _is_sequence(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in _SEQUENCES
    return isinstance(node, exp.Func) and node.sql_name().upper() in _SEQUENCES


def time_of_text(session: Session, node: exp.Expr) -> exp.Expr:
    """TIME('10:01:50') is what TO_TIME is, as Snowpark writes a time of Python's."""
    if isinstance(node, exp.Time) and node.this is not None and not node.args.get("zone"):
        return exp.Cast(this=node.this, to=exp.DataType.build("TIME"))
    return node


def joined_columns_first(session: Session, node: exp.Expr) -> exp.Expr:
    """SELECT * over a JOIN ... USING begins with the columns that it joins by, those of the last join first.

    Source: https://docs.snowflake.com/en/sql-reference/constructs/join
    """
    if not isinstance(node, exp.Select) or not _is_star(node.expressions):
        return node
    joined = [column for join in reversed(_joins(node)) for column in join.args.get("using") or []]
    if joined and all(isinstance(column, exp.Identifier | exp.Column) for column in joined):
        names = {
            column.name.upper(): column.this if isinstance(column, exp.Column) else column
            for column in joined
        }
        rest = exp.Star(except_=[name.copy() for name in names.values()])
        node.set("expressions", [*(exp.Column(this=name.copy()) for name in names.values()), rest])
    return node


def _joins(select: exp.Select) -> list[exp.Expr]:
    """The joins of a FROM, which may be in parentheses."""
    joins, source = list(select.args.get("joins") or []), select.args.get("from_")
    source = source.this if source is not None else None
    while isinstance(source, exp.Subquery) and not source.alias and isinstance(source.this, _SOURCES):
        source = source.this
        joins = [*(source.args.get("joins") or []), *joins]
    return joins


def _is_star(listed: list[exp.Expr]) -> bool:
    return len(listed) == 1 and isinstance(listed[0], exp.Star) and not any(listed[0].args.values())
