"""Reading the clauses of CREATE ALERT and ALTER ALERT from their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snowcellar.clause_reader import ClauseReader, Written, check_body
from snowcellar.errors import CompilationError, Unsupported

_CONDITIONS = ("SELECT", "WITH", "SHOW", "CALL")


@dataclass(frozen=True)
class Clauses:
    """What CREATE ALERT says of an alert."""

    options: Mapping[str, Written]
    condition: str
    action: str


def read_create(text: str) -> Clauses:
    """The clauses that follow the name in CREATE ALERT."""
    reader = ClauseReader(text)
    options: dict[str, Written] = {}
    while not reader.accept("IF"):
        _read_option(reader, options)
    reader.expect("(")
    condition = _read_exists(reader)
    reader.expect(")")
    reader.expect("THEN")
    return Clauses(options, condition, check_body(reader.rest(), "alert"))


def read_set(text: str) -> dict[str, Written]:
    """The properties after ALTER ALERT ... SET."""
    reader = ClauseReader(text)
    options: dict[str, Written] = {}
    while not reader.at_end:
        _read_option(reader, options)
    if not options:
        raise reader.unexpected()
    return options


def read_condition(text: str) -> str:
    """EXISTS (...), as ALTER ALERT ... MODIFY CONDITION takes it."""
    reader = ClauseReader(text)
    condition = _read_exists(reader)
    if not reader.at_end:
        raise reader.unexpected()
    return condition


def _read_option(reader: ClauseReader, options: dict[str, Written]) -> None:
    if reader.word() in ("TAG", "WITH", "CLONE", "FROM"):
        raise Unsupported(f"ALERT ... {reader.word()}")
    key = reader.key()
    if key in options:
        raise CompilationError(f"duplicate property '{key}';", 1003)
    options[key] = reader.value(key)


def _read_exists(reader: ClauseReader) -> str:
    reader.expect("EXISTS")
    reader.expect("(")
    condition = reader.text_until(")")
    reader.expect(")")
    if condition.split(maxsplit=1)[0].upper() not in _CONDITIONS:
        raise CompilationError(
            f"syntax error: unexpected '{condition.split()[0]}'; a condition is a SELECT, SHOW or CALL."
        )
    return check_body(condition, "alert")
