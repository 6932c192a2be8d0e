"""A statement as the client sent it: its text, its leading words and, when asked, its syntax tree."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from sqlglot import exp

from snowcellar import binds, functions, spelling
from snowcellar.errors import CompilationError

_LEADING_NOISE = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|//[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


class Statement:
    """One SQL statement in Snowflake's dialect.

    `text` has no leading comment and no closing semicolon, so features recognise their statements
    by a pattern anchored at its start; `tree` is parsed only when a feature needs it.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.text = spelling.documented(_LEADING_NOISE.sub("", sql).rstrip(" \t\r\n\f\v;"))

    @cached_property
    def tree(self) -> exp.Expr:
        trees = [
            tree
            for tree in functions.parse(binds.number(self.text))
            if tree and not isinstance(tree, exp.Semicolon)
        ]
        if len(trees) != 1:
            raise CompilationError(
                "Empty SQL statement."
                if not trees
                else f"Actual statement count {len(trees)} did not match the desired statement count 1.",
                900 if not trees else 8,
            )
        return _name_identifiers(trees[0])

    def matches(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match of a pattern anchored at the statement's first word, or None."""
        return pattern.match(self.text)


def _name_identifiers(tree: Any) -> exp.Expr:
    """IDENTIFIER('a.b.c') with a literal is the name it holds, so that everything after sees one form."""
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if (
            isinstance(call, exp.DynamicIdentifier)
            and isinstance(call.this, exp.Literal)
            and call.this.is_string
        ):
            named = exp.to_table(call.this.name, dialect="snowflake")
            for part in ("this", "db", "catalog"):
                table.set(part, named.args.get(part))
    return tree  # type: ignore[no-any-return]
