"""PIVOT ... IN (ANY), a column for every value that there is, and DEFAULT ON NULL.

Source: https://docs.snowflake.com/en/sql-reference/constructs/pivot
DuckDB finds the values if it is asked in its own way, PIVOT ... ON ..., and names the columns by them;
Snowflake quotes those that are texts. Values of a subquery, binds in what is pivoted over ANY, and DEFAULT ON
NULL with ANY are refused.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from snowcellar.errors import Unsupported
from snowcellar.functions.calls import by_macro

MACROS: Final = """
CREATE OR REPLACE MACRO memory.main.sc_pivot_name(v) AS CASE
    WHEN v IS NULL THEN 'NULL' WHEN typeof(v) = 'VARCHAR' THEN concat('''', v, '''') ELSE concat(v) END;
"""
"""What the column of a value is called."""


def finds_values(tree: exp.Expr) -> bool:
    """Whether the columns of a tree come from its data."""
    return tree.find(exp.PivotAny) is not None


def expand(tree: exp.Expr) -> None:
    """Write the tree's PIVOTs so that DuckDB does them as Snowflake."""
    for pivot in list(tree.find_all(exp.Pivot)):
        fields = pivot.args.get("fields") or []
        if any(field.find(exp.Query) for field in fields):
            raise Unsupported("PIVOT ... IN (SELECT ...)", "Name the values, or say ANY.")
        is_any = any(field.find(exp.PivotAny) for field in fields)
        default = pivot.args.get("default_on_null")
        if is_any and default:
            raise Unsupported("PIVOT ... IN (ANY ...) DEFAULT ON NULL", "Name the values.")
        if is_any:
            _find_values(pivot, fields[0].this)
        elif default:
            _fill(pivot, default)


def _find_values(pivot: exp.Pivot, column: exp.Column) -> None:
    """IN (ANY): DuckDB's own PIVOT, over the values as Snowflake names their columns."""
    if any(each.args.get("desc") for each in pivot.find_all(exp.Ordered)):
        raise Unsupported("PIVOT ... IN (ANY ORDER BY ... DESC)", "The columns go up with their values.")
    source = _pivoted(pivot)
    if source.find(exp.Placeholder):
        raise Unsupported("a bind in what PIVOT ... IN (ANY) pivots", "Name the values.")
    alias = pivot.args.get("alias")
    plain = source.copy()
    plain.set("pivots", None)
    name = by_macro("pivot_name")([column.copy()])
    named = exp.select(exp.Star(replace=[exp.alias_(name, column.this.copy())])).from_(plain)
    own = exp.Pivot(
        this=exp.Subquery(this=named),
        expressions=[column.copy()],
        using=[aggregate.copy() for aggregate in pivot.expressions],
        unpivot=False,
    )
    source.replace(exp.Subquery(this=own, alias=alias.copy() if alias else None))


def _fill(pivot: exp.Pivot, default: exp.Expr) -> None:
    """DEFAULT ON NULL, around the PIVOT."""
    source, alias = _pivoted(pivot), pivot.args.get("alias")
    pivot.set("default_on_null", None)
    filled = [
        exp.alias_(exp.Coalesce(this=exp.column(name.copy()), expressions=[default.copy()]), name.copy())
        for name in pivot.args["columns"]
    ]
    rows = exp.select(exp.Star(replace=filled)).from_(source.copy())
    source.replace(exp.Subquery(this=rows, alias=alias.copy() if alias else None))


def _pivoted(pivot: exp.Pivot) -> exp.Expr:
    """The table or subquery that a PIVOT belongs to."""
    source = pivot.parent
    if source is None or source.args.get("pivots") != [pivot]:
        raise Unsupported("several PIVOTs of one table")
    return source
