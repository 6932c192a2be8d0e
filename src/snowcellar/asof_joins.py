"""ASOF JOIN: the nearest row of the right side, or none.

Source: https://docs.snowflake.com/en/sql-reference/constructs/asof-join
DuckDB wants the condition among those of ON. USING is refused: there it would have to name the time as well.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.errors import Unsupported


def expand(tree: exp.Expr) -> None:
    """Write the tree's ASOF joins as DuckDB's, which keep the left rows only if they say LEFT."""
    for join in tree.find_all(exp.Join):
        condition = join.args.get("match_condition")
        if condition is None:
            continue
        if join.args.get("using"):
            raise Unsupported("ASOF JOIN ... USING", "Write ON.")
        on = join.args.get("on")
        join.set("on", exp.and_(on, condition) if on else condition)
        join.set("match_condition", None)
        join.set("side", "LEFT")
