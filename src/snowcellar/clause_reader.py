"""Reading, token by token, the clauses of statements that the SQL engine does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import display, fold
from snowcellar.script_grammar import BLOCK, parts

_STRINGS = (TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.NATIONAL_STRING)
_DECLARED = re.compile(r"DECLARE\b.+\Z", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(r"BEGIN\b(?!\s*(?:;|\Z|TRANSACTION\b|WORK\b|NAME\b)).+\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Written:
    """A value as a statement wrote it."""

    text: str
    quoted: bool

    def __str__(self) -> str:
        return f"'{self.text}'" if self.quoted else self.text


def check_body(text: str, of: str) -> str:
    """The one statement, or block of plain statements, that an object (a task, an alert) runs."""
    body = text.strip()
    if _DECLARED.match(body) or (BLOCK.match(body) and of != "task"):
        raise Unsupported(
            f"a Snowflake Scripting block as the body of {_article(of)}",
            "Put the statements into a procedure and CALL it.",
        )
    if BLOCK.match(body):
        parts(body)
        return body.rstrip("; \n\t\r")
    tokens = sqlglot.tokenize(body, read="snowflake")
    if not tokens:
        raise CompilationError(f"syntax error: {_article(of)} needs a statement to run.")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens[:-1]):
        raise CompilationError(f"syntax error: unexpected ';'; {_article(of)} runs one statement.")
    return body.rstrip("; \n\t\r") if tokens[-1].token_type == TokenType.SEMICOLON else body


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class ClauseReader:
    """Walks over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = sqlglot.tokenize(text, read="snowflake")
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position >= len(self._tokens)

    def word(self) -> str:
        """The current token in upper case; empty for a string, a quoted name and at the end."""
        if self.at_end or self._current.token_type in (*_STRINGS, TokenType.IDENTIFIER):
            return ""
        return str(self._current.text).upper()

    def accept(self, word: str) -> bool:
        """Step over the current token if it is the word."""
        if self.word() != word:
            return False
        self._position += 1
        return True

    def rest(self) -> str:
        """The text from the current token on."""
        return "" if self.at_end else self._text[self._current.start :]

    def unexpected(self) -> CompilationError:
        return CompilationError(
            f"syntax error: unexpected '{'<EOF>' if self.at_end else self._current.text}'."
        )

    def names(self) -> tuple[str, ...]:
        """NAME [, NAME ...]."""
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(names)

    def name(self) -> str:
        """A dotted name, each part quoted where it must be; a string may hold it, as in FINALIZE = 'x'."""
        if not self.at_end and self._current.token_type in _STRINGS:
            return str(self._take().text)
        parts = [self._part()]
        while self.accept("."):
            parts.append(self._part())
        return ".".join(parts)

    def key(self) -> str:
        """KEY =, with the comma that may stand before it; its value is to be read next."""
        self.accept(",")
        key = self.word()
        if not re.fullmatch(r"[A-Z_]\w*", key):
            raise self.unexpected()
        self._position += 1
        self.expect("=")
        return key

    def expect(self, word: str) -> None:
        """Step over the current token, which must be the word."""
        if not self.accept(word):
            raise self.unexpected()

    def text_until(self, word: str) -> str:
        """The text up to a word outside the parentheses that open in it."""
        begin, depth = self._position, 0
        while not self.at_end and (depth or self.word() != word):
            depth += {"(": 1, ")": -1}.get(self.word(), 0)
            self._position += 1
        if begin == self._position:
            raise self.unexpected()
        return self._text[self._tokens[begin].start : self._tokens[self._position - 1].end + 1]

    def value(self, key: str) -> Written:
        """The value of a property."""
        if self.at_end:
            raise self.unexpected()
        if self._current.token_type in _STRINGS:
            return Written(str(self._take().text), quoted=True)
        if key == "WAREHOUSE":
            return Written(self._folded_part(), quoted=False)
        sign = "-" if self.accept("-") else ""
        return Written(sign + str(self._take().text), quoted=False)

    def _part(self) -> str:
        return display(self._folded_part())

    def _folded_part(self) -> str:
        if self.at_end or not (
            self._current.token_type == TokenType.IDENTIFIER or re.match(r"[A-Z_]", self.word())
        ):
            raise self.unexpected()
        token = self._take()
        return str(token.text) if token.token_type == TokenType.IDENTIFIER else fold(str(token.text))

    @property
    def _current(self) -> Any:
        return self._tokens[self._position]

    def _take(self) -> Any:
        if self.at_end:
            raise self.unexpected()
        self._position += 1
        return self._tokens[self._position - 1]
