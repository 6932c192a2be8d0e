"""Reading the clauses of CREATE TASK and ALTER TASK ... SET from their tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from snowcellar.clause_reader import ClauseReader, Written, check_body
from snowcellar.errors import CompilationError, Unsupported


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
    reader = ClauseReader(text)
    clauses = Clauses()
    while not reader.at_end:
        if reader.accept("AS"):
            clauses.body = check_body(reader.rest(), "task")
            return clauses
        if reader.accept("WHEN"):
            clauses.condition = reader.text_until("AS")
        elif reader.accept("AFTER"):
            clauses.after = reader.names()
        elif reader.word() in ("EXECUTE", "WITH", "TAG", "COPY"):
            raise Unsupported(f"CREATE TASK ... {reader.rest().split('=')[0].strip()[:40]}")
        else:
            _read_option(reader, clauses)
    raise CompilationError("syntax error: unexpected '<EOF>'; a task needs AS and a statement.")


def read_set(text: str) -> Clauses:
    """The properties after ALTER TASK ... SET."""
    reader = ClauseReader(text)
    clauses = Clauses()
    while not reader.at_end:
        if reader.word() in ("TAG", "CONTACT"):
            raise Unsupported(f"ALTER TASK ... SET {reader.word()}")
        _read_option(reader, clauses)
    return clauses


def read_names(text: str) -> tuple[str, ...]:
    """A list of task names, as ADD AFTER and REMOVE AFTER take it."""
    reader = ClauseReader(text)
    names = reader.names()
    if not reader.at_end:
        raise reader.unexpected()
    return names


def _read_option(reader: ClauseReader, clauses: Clauses) -> None:
    key = reader.key()
    if key == "FINALIZE":
        clauses.finalize = reader.name()
        return
    if key in clauses.options:
        raise CompilationError(f"duplicate property '{key}';", 1003)
    clauses.options[key] = reader.value(key)
