"""Bound values: every ? becomes :1, :2 ... in the order of the text, so that rewrites may copy them.

Source: https://docs.snowflake.com/en/sql-reference/bind-variables
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import WarehouseError

Params = list[Any] | dict[str, Any] | None
"""The values of one execution: by position, or by name."""


def number(sql: str) -> str:
    """The statement with its question marks numbered."""
    if "?" not in sql:
        return sql
    parts: list[str] = []
    end = 0
    marks = [token for token in sqlglot.tokenize(sql, read="snowflake") if token.token_type in _MARKS]
    for position, token in enumerate(marks, start=1):
        parts += [sql[end : token.start], f":{position}"]
        end = token.end + 1
    return "".join([*parts, sql[end:]])


_MARKS = (TokenType.PLACEHOLDER,)


@dataclass(frozen=True)
class DuckSql:
    """A DuckDB statement and the names of the values that it wants."""

    text: str
    binds: tuple[str, ...] = ()

    def values(self, params: Params) -> dict[str, Any] | None:
        """What DuckDB takes with the statement."""
        return values(self.binds, params)


def wanted(tree: exp.Expr) -> tuple[str, ...]:
    """The names of the values that a tree wants."""
    return tuple(sorted({placeholder.name for placeholder in tree.find_all(exp.Placeholder)}))


def values(names: Iterable[str], params: Params) -> dict[str, Any] | None:
    """The named ones among the bound values."""
    given = params if isinstance(params, dict) else {str(i): value for i, value in enumerate(params or [], 1)}
    chosen = {name: given[name] for name in names if name in given}
    for name in names:
        if name not in given:
            raise WarehouseError(f"SQL compilation error:\nBind variable :{name} not set.", 2049, "42601")
    return chosen or None


def name_identifiers(tree: exp.Expr, params: Params) -> None:
    """IDENTIFIER(?) is the name that is bound to it, and the ? of PUT its stage, quoted or not."""
    if isinstance(tree, exp.Put):
        target = str(tree.args["target"].name)
        if target.startswith(":"):
            target = str((values([target[1:]], params) or {})[target[1:]])
        tree.set("target", exp.Var(this=target.removeprefix("'").removesuffix("'")))
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.DynamicIdentifier) and isinstance(call.this, exp.Placeholder):
            bound = values([call.this.name], params) or {}
            named = exp.to_table(str(bound[call.this.name]), dialect="snowflake")
            for part in ("this", "db", "catalog"):
                table.set(part, named.args.get(part))
