"""Reading the clauses of CREATE TASK and ALTER TASK ... SET from their tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import display, fold
from snowcellar.tasks.options import Written

_STRINGS = (TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.NATIONAL_STRING)
_SCRIPT = re.compile(
    r"(?:DECLARE\b.+|BEGIN\b(?!\s*(?:;|\Z|TRANSACTION\b|WORK\b|NAME\b)).+)\Z", re.IGNORECASE | re.DOTALL
)


@dataclass
class Clauses:
    """What a statement says of a task; None and empty where it is silent."""

    options: dict[str, Written] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    finalize: str | None = None
    condition: str | None = None
    body: str | None = None


def read_create(text: str) -> Clauses:
    """The clauses that follow the name in CREATE TASK."""
    reader = _Reader(text)
    clauses = Clauses()
    while not reader.at_end:
        if reader.accept("AS"):
            clauses.body = check_body(reader.rest())
            return clauses
        if reader.accept("WHEN"):
            clauses.condition = reader.text_until_as()
        elif reader.accept("AFTER"):
            clauses.after = reader.names()
        elif reader.word() in ("EXECUTE", "WITH", "TAG", "COPY"):
            raise Unsupported(f"CREATE TASK ... {reader.rest().split('=')[0].strip()[:40]}")
        else:
            reader.option(clauses)
    raise CompilationError("syntax error: unexpected '<EOF>'; a task needs AS and a statement.")


def read_set(text: str) -> Clauses:
    """The properties after ALTER TASK ... SET."""
    reader = _Reader(text)
    clauses = Clauses()
    while not reader.at_end:
        if reader.word() in ("TAG", "CONTACT"):
            raise Unsupported(f"ALTER TASK ... SET {reader.word()}")
        reader.option(clauses)
    return clauses


def read_names(text: str) -> tuple[str, ...]:
    """A list of task names, as ADD AFTER and REMOVE AFTER take it."""
    reader = _Reader(text)
    names = reader.names()
    if not reader.at_end:
        raise reader.unexpected()
    return names


def check_body(text: str) -> str:
    """A task's body: one statement."""
    body = text.strip()
    if _SCRIPT.match(body):
        raise Unsupported(
            "a Snowflake Scripting block as the body of a task",
            "Put the statements into a procedure and CALL it.",
        )
    tokens = sqlglot.tokenize(body, read="snowflake")
    if not tokens:
        raise CompilationError("syntax error: a task needs a statement after AS.")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens[:-1]):
        raise CompilationError("syntax error: unexpected ';'; a task runs one statement.")
    return body.rstrip("; \n\t\r") if tokens[-1].token_type == TokenType.SEMICOLON else body


class _Reader:
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

    def option(self, clauses: Clauses) -> None:
        """KEY = value, with the comma that may stand before it."""
        self.accept(",")
        key = self.word()
        if not re.fullmatch(r"[A-Z_]\w*", key):
            raise self.unexpected()
        self._position += 1
        if not self.accept("="):
            raise self.unexpected()
        if key == "FINALIZE":
            clauses.finalize = self.name()
            return
        if key in clauses.options:
            raise CompilationError(f"duplicate property '{key}';", 1003)
        clauses.options[key] = self._value(key)

    def text_until_as(self) -> str:
        """The text up to an AS outside parentheses, which the body follows."""
        begin, depth = self._position, 0
        while not self.at_end and (depth or self.word() != "AS"):
            depth += {"(": 1, ")": -1}.get(self.word(), 0)
            self._position += 1
        if begin == self._position:
            raise self.unexpected()
        return self._text[self._tokens[begin].start : self._tokens[self._position - 1].end + 1]

    def _value(self, key: str) -> Written:
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
