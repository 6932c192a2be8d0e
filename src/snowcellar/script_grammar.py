"""What a block of Snowflake Scripting is made of: BEGIN, plain statements, END; all else is refused by name.

Source: https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import CompilationError, Unsupported

BLOCK = re.compile(r"BEGIN\b(?!\s*(?:;|\Z|TRANSACTION\b|WORK\b|NAME\b)).+\Z", re.IGNORECASE | re.DOTALL)
_SCRIPTING = {
    "LET", "DECLARE", "IF", "ELSEIF", "ELSE", "FOR", "WHILE", "REPEAT", "LOOP", "CASE", "RETURN",
    "EXCEPTION", "OPEN", "FETCH", "CLOSE", "RAISE", "AWAIT", "ASYNC", "CANCEL", "BREAK", "CONTINUE", "NULL",
    "UNTIL", "END",
}  # fmt: skip
_TRANSACTION = {"TRANSACTION", "WORK", "NAME"}
_HINT = "Put it into a procedure and CALL it."


@dataclass(frozen=True)
class Part:
    """A statement of a block, and where it begins."""

    text: str
    line: int
    position: int


def parts(block: str) -> list[Part]:
    """The statements of a block, each of a plain kind."""
    tokens = sqlglot.tokenize(block, read="snowflake")
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if len(tokens) < 2 or tokens[-1].text.upper() != "END" or tokens[0].text.upper() != "BEGIN":
        raise CompilationError("syntax error: a block ends with END.")
    found = [_part(block, several) for several in _split(tokens[1:-1])]
    if not found:
        raise CompilationError("syntax error: unexpected 'END'.")
    return found


def _split(tokens: list[Any]) -> Iterator[list[Any]]:
    several: list[Any] = []
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            several.append(token)
        elif several:
            yield several
            several = []
    if several:
        raise CompilationError(f"syntax error: a ';' is missing after '{several[-1].text}'.")


def _part(block: str, tokens: list[Any]) -> Part:
    words = [token.text.upper() for token in tokens[:2]]
    if words[0] in _SCRIPTING:
        raise Unsupported(f"{words[0]} in a Snowflake Scripting block", _HINT)
    if words[0] == "BEGIN" and (len(words) < 2 or words[1] not in _TRANSACTION):
        raise Unsupported("a block within a Snowflake Scripting block", _HINT)
    if any(token.token_type == TokenType.COLON_EQ for token in tokens):
        raise Unsupported("a variable in a Snowflake Scripting block", _HINT)
    first = tokens[0]
    before = block[: first.start]
    return Part(
        block[first.start : tokens[-1].end + 1],
        before.count("\n") + 1,
        first.start - (before.rfind("\n") + 1),
    )
