"""Window functions that DuckDB lacks, by those that it has.

Source: https://docs.snowflake.com/en/sql-reference/functions-window
Deviation: RATIO_TO_REPORT of NUMBERs is a FLOAT, as every quotient is here.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.session import Session

_IN_ORDER: Final = (
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead),
)


def require_order(tree: exp.Expr) -> None:
    """Refuse what numbers or looks along the rows of a window without an order, as Snowflake does."""
    for window in tree.find_all(exp.Window):
        function = window.this
        if isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
            function = function.this
        if isinstance(function, _IN_ORDER) and not window.args.get("order"):
            name = function.sql_name()
            raise CompilationError(f"Window function type [{name}] requires ORDER BY in window specification")


def over_window(session: Session, node: exp.Expr) -> exp.Expr:
    """RATIO_TO_REPORT and CONDITIONAL_TRUE_EVENT; CONDITIONAL_CHANGE_EVENT is refused.

    The latter would be a window over a window, which takes a query of its own.
    """
    if not isinstance(node, exp.Window) or not isinstance(node.this, exp.Anonymous):
        return node
    name, given = str(node.this.this).upper(), node.this.expressions
    if name == "RATIO_TO_REPORT":
        return _ratio(node, given[0])
    if name == "CONDITIONAL_TRUE_EVENT":
        return _events_so_far(node, given[0])
    if name == "CONDITIONAL_CHANGE_EVENT":
        raise Unsupported(name, "Compare with LAG in a subquery, and SUM the changes over it.")
    return node


def _ratio(window: exp.Window, value: exp.Expr) -> exp.Expr:
    """A row's share of the sum of its partition; the window's order is nothing to it."""
    total = window.copy()
    total.set("this", exp.Sum(this=value.copy()))
    total.set("order", None)
    divisor = exp.Nullif(this=total, expression=exp.Literal.number(0))
    return exp.paren(exp.Div(this=exp.cast(value.copy(), "DOUBLE"), expression=divisor), copy=False)


def _events_so_far(window: exp.Window, condition: exp.Expr) -> exp.Expr:
    """How many rows up to this one fulfil a condition; rows that tie are counted one by one."""
    one = exp.Case(ifs=[exp.If(this=condition.copy(), true=exp.Literal.number(1))])
    counted = window.copy()
    counted.set("this", exp.Count(this=one))
    rows = {"kind": "ROWS", "start": "UNBOUNDED", "start_side": "PRECEDING", "end": "CURRENT ROW"}
    counted.set("spec", exp.WindowSpec(**rows))
    return counted
