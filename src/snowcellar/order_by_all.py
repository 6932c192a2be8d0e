"""ORDER BY ALL: by every column of the SELECT, from left to right.

Source: https://docs.snowflake.com/en/sql-reference/constructs/order-by
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.session import Session


def all_columns(session: Session, node: exp.Expr) -> exp.Expr:
    """DuckDB has it too, but the parser takes ALL for the name of a column."""
    if not isinstance(node, exp.Ordered) or not isinstance(node.this, exp.Column):
        return node
    order = node.parent
    alone = isinstance(order, exp.Order) and len(order.expressions) == 1
    of_rows = order is not None and isinstance(order.parent, exp.Query)
    if alone and of_rows and node.this.sql().upper() == "ALL":
        node.set("this", exp.Var(this="ALL"))
    return node
