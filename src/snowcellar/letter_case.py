"""Names that differ in the case of their letters only: to DuckDB they are one, so the second is refused.

Source: https://docs.snowflake.com/en/sql-reference/identifiers-syntax
Deviation: "a" where there is only A finds column A.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlglot import exp

from snowcellar.errors import Unsupported
from snowcellar.relations import fold_identifier

if TYPE_CHECKING:
    from snowcellar.session import Session

_HINT = "DuckDB does not look at the case of letters; choose another name."
_AROUND = (exp.Subquery, exp.CTE, exp.Create)


def refuse_beside(name: str, other: str) -> None:
    """Refuse a name beside another that differs from it in case only."""
    if name != other and name.upper() == other.upper():
        raise Unsupported(f'"{name}" beside "{other}"', _HINT)


def refuse_same_columns(names: Iterable[str]) -> None:
    """Refuse columns of one table whose names differ in case only."""
    known: dict[str, str] = {}
    for name in names:
        refuse_beside(name, known.setdefault(name.upper(), name))


def told_apart(session: Session, node: exp.Expr) -> exp.Expr:
    """Refuse a query within another statement whose columns could not be told apart there.

    Deviation: columns that come from a * are not looked at.
    """
    if isinstance(node, exp.Select) and isinstance(node.parent, _AROUND):
        refuse_same_columns(name for each in node.expressions if (name := _column(each)))
    return node


def _column(selected: exp.Expr) -> str | None:
    named = selected.args.get("alias") if isinstance(selected, exp.Alias) else selected.this
    return fold_identifier(named) if isinstance(named, exp.Identifier) else None
