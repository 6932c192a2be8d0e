"""DATE_TRUNC, and TRUNC of a time, give what they are given: a DATE stays a DATE.

Source: https://docs.snowflake.com/en/sql-reference/functions/date_trunc
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.session import Session

_TYPELESS = (exp.Literal, exp.Placeholder, exp.Null)


def of_same_type(session: Session, node: exp.Expr) -> exp.Expr:
    """DuckDB makes a TIMESTAMP of every DATE that it truncates."""
    if not isinstance(node, exp.DateTrunc | exp.TimestampTrunc) or node.meta.get("of_same_type"):
        return node
    node.meta["of_same_type"] = True
    if isinstance(node.this, _TYPELESS):
        return node
    return exp.Anonymous(this="cast_to_type", expressions=[node.copy(), node.this.copy()])
