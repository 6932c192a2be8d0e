"""Rewrites for numbers: where DuckDB's arithmetic would give another answer than Snowflake's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from snowcellar.session import Session

_QUOTIENT_DIGITS = 8


def division_by_zero(session: Session, node: exp.Expr) -> exp.Expr:
    """x / 0 is an error, not infinity (SEMANTICS 29)."""
    if not isinstance(node, exp.Div | exp.Mod) or node.meta.get("guarded"):
        return node
    divisor = node.expression
    if isinstance(divisor, exp.Literal) and not divisor.is_string and float(divisor.name) != 0:
        return node
    guard = exp.Case(
        ifs=[
            exp.If(
                this=exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0)),
                true=exp.Anonymous(this="error", expressions=[exp.Literal.string("Division by zero")]),
            )
        ],
        default=divisor.copy(),
    )
    node.set("expression", guard)
    node.meta["guarded"] = True
    return node


def product_of_numbers(session: Session, node: exp.Expr) -> exp.Expr:
    """NUMBER times NUMBER has as many digits as both together, up to 38.

    Source: https://docs.snowflake.com/en/sql-reference/operators-arithmetic
    DuckDB keeps to 18 digits where both have no more, and fails beyond. Deviation: seen only where what makes
    a factor a NUMBER stands in the statement, alone or in the branches of IFF, CASE and COALESCE.
    """
    if not isinstance(node, exp.Mul) or node.meta.get("widened"):
        return node
    scale = _scale(node.this)
    if scale is not None and _scale(node.expression) is not None:
        wide = exp.DataType.build(f"DECIMAL(38, {scale})", dialect="duckdb")
        node.set("this", exp.Cast(this=node.this, to=wide))
        node.meta["widened"] = True
    return node


def _scale(node: exp.Expr) -> str | None:
    """The s of the NUMBER(p, s) that an expression is made to be, if its text says so."""
    match node:
        case exp.Paren():
            return _scale(node.this)
        case exp.Cast(to=exp.DataType() as to):
            if not (to.is_type(exp.DataType.Type.DECIMAL) and to.expressions):
                return None
            return to.expressions[1].name if len(to.expressions) > 1 else "0"
        case exp.ToNumber():
            scale = node.args.get("scale")
            return scale.name if scale else "0"
        case exp.If():
            branches = [node.args.get("true"), node.args.get("false")]
        case exp.Case():
            branches = [*(each.args.get("true") for each in node.args["ifs"]), node.args.get("default")]
        case exp.Coalesce():
            branches = [node.this, *node.expressions]
        case _:
            return None
    return next((found for branch in branches if branch and (found := _scale(branch)) is not None), None)


def quotient_as_number(session: Session, node: exp.Expr) -> exp.Expr:
    """A quotient, an average or a median cast to NUMBER rounds half away from zero, as decimals do.

    Source: https://docs.snowflake.com/en/sql-reference/operators-arithmetic
    Snowflake divides NUMBERs as decimals; DuckDB as doubles, in which half a cent may lie just below a half.
    Eight digits, what a sum of money over a count has in Snowflake, bring the half back.
    Deviation: exact up to some 40 million; without the cast a quotient stays a double.
    """
    if not isinstance(node, exp.Cast) or node.meta.get("by_decimal") or not node.to.is_type("decimal"):
        return node
    inner = node.this.unnest()
    if isinstance(inner, exp.Window):
        inner = inner.this
    if isinstance(inner, exp.Div | exp.Avg | exp.Median | exp.WithinGroup):
        precision, scale = _digits(node.to)
        if precision - scale <= 38 - _QUOTIENT_DIGITS:
            exact = exp.DataType.build(f"DECIMAL(38, {_QUOTIENT_DIGITS})", dialect="duckdb")
            rounded: exp.Expr = exp.Cast(this=node.this, to=exact)
        else:
            rounded = exp.Round(this=node.this, decimals=exp.Literal.number(scale))
        rounded.meta["by_decimal"] = node.meta["by_decimal"] = True
        node.set("this", rounded)
    return node


def _digits(number: exp.DataType) -> tuple[int, int]:
    """Precision and scale of NUMBER(p, s)."""
    size = [int(part.name) for part in number.expressions]
    return (size or [38])[0], sum(size[1:])


def median_between(session: Session, node: exp.Expr) -> exp.Expr:
    """MEDIAN and PERCENTILE_CONT may lie between two values: DuckDB would cut the answer to their digits.

    Source: https://docs.snowflake.com/en/sql-reference/functions/median
    Deviation: the answer is a double; Snowflake adds three digits to those of the NUMBER.
    """
    if isinstance(node, exp.Median) and not isinstance(node.this, exp.Cast):
        node.set("this", exp.cast(node.this, "DOUBLE"))
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
        for ordered in node.expression.find_all(exp.Ordered):
            if not isinstance(ordered.this, exp.Cast):
                ordered.set("this", exp.cast(ordered.this, "DOUBLE"))
    return node


def count_of_true(session: Session, node: exp.Expr) -> exp.Expr:
    """COUNT_IF over no rows is 0, and a count is an integer.

    Source: https://docs.snowflake.com/en/sql-reference/functions/count_if
    """
    if not isinstance(node, exp.CountIf):
        return node
    one = exp.If(this=node.this.copy(), true=exp.Literal.number(1))
    return exp.Count(this=exp.Case(ifs=[one]))
