"""What a query's columns are called when they have no alias: by their text, in upper case.

Snowflake calls the column of `select count(*)` COUNT(*), where DuckDB says count_star(). Clients that ask for
rows as dictionaries see these names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

_ENDS = frozenset(
    {
        TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.QUALIFY,
        TokenType.ORDER_BY, TokenType.LIMIT, TokenType.FETCH, TokenType.UNION, TokenType.EXCEPT,
        TokenType.INTERSECT,
    }
)  # fmt: skip
_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def name_columns(text: str, tree: exp.Expr) -> None:
    """Give every column of a query that has no name the one that Snowflake shows, in place."""
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.this
    if not isinstance(select, exp.Select) or not any(map(_lacks_name, select.expressions)):
        return
    written = list(_items(text))
    if len(written) != len(select.expressions):
        return
    for expression, shown in zip(list(select.expressions), written, strict=True):
        if _lacks_name(expression):
            expression.replace(exp.alias_(expression.copy(), shown.upper(), quoted=True))


def _lacks_name(expression: exp.Expr) -> bool:
    return not isinstance(expression, exp.Alias | exp.Aliases | exp.Column | exp.Star) and not (
        isinstance(expression, exp.Dot | exp.Columns)
    )


def _items(text: str) -> Iterator[str]:
    """The expressions of the select list that is outside all parentheses, as they are written."""
    tokens = iter(sqlglot.tokenize(text, read="snowflake"))
    depth = 0
    for token in tokens:
        depth += _step(token)
        if depth == 0 and token.token_type == TokenType.SELECT:
            break
    begin: Any = None
    last: Any = None
    for token in tokens:
        kind = token.token_type
        is_end = kind in _ENDS and not (last is not None and last.token_type == TokenType.DISTINCT)
        if depth == 0 and (is_end or kind == TokenType.COMMA):
            if begin is not None:
                yield text[begin.start : last.end + 1]
            begin = None
            if is_end:
                return
        elif begin is None and kind not in (TokenType.DISTINCT, TokenType.ALL):
            begin = token
        depth += _step(token)
        last = token
    if begin is not None:
        yield text[begin.start : last.end + 1]


def _step(token: Any) -> int:
    return (token.token_type in _OPENS) - (token.token_type in _CLOSES)
