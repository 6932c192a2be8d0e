"""Snowflake's SQL where fakesnow's rewrites leave DuckDB to mean something else.

Each rewrite is named for the Snowflake feature and says the deviation that is left. They run on the whole
tree, after what the statement reads has been expanded and before fakesnow's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from snowcellar.session import Session

Rewrite = Callable[["Session", exp.Expression], exp.Expression]


def apply(session: Session, tree: exp.Expression) -> exp.Expression:
    """The tree with every rewrite done."""
    for rewrite in REWRITES:
        tree = tree.transform(lambda node, rewrite=rewrite: rewrite(session, node), copy=False)
    return tree


def division_by_zero(session: Session, node: exp.Expression) -> exp.Expression:
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


_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "CURRENT_WAREHOUSE": lambda session: session.virtual_warehouse,
    "CURRENT_ROLE": lambda session: session.role,
    "CURRENT_USER": lambda session: session.user,
    "CURRENT_DATABASE": lambda session: session.database,
    "CURRENT_SCHEMA": lambda session: session.schema,
    "CURRENT_ACCOUNT": lambda session: session.warehouse.account.upper(),
    "CURRENT_ACCOUNT_NAME": lambda session: session.warehouse.account.upper(),
    "CURRENT_ORGANIZATION_NAME": lambda session: "SNOWCELLAR",
    "CURRENT_REGION": lambda session: "LOCAL",
    "CURRENT_SESSION": lambda session: str(session.number),
    "CURRENT_SECONDARY_ROLES": lambda session: '{"roles":"","value":""}',
    "CURRENT_AVAILABLE_ROLES": lambda session: f'["{session.role}"]',
    "LAST_QUERY_ID": lambda session: session.last_query_id,
}


def context_functions(session: Session, node: exp.Expression) -> exp.Expression:
    """CURRENT_WAREHOUSE() and its kin answer from the session."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).upper()
    elif isinstance(node, exp.Func):
        name = node.sql_name()
    else:
        return node
    if name not in _CONTEXT:
        return node
    value = _CONTEXT[name](session)
    literal = exp.cast(exp.Null(), "TEXT") if value is None else exp.Literal.string(value)
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        return exp.alias_(literal, f"{name}()", quoted=True)
    return literal


REWRITES: list[Rewrite] = [division_by_zero, context_functions]
