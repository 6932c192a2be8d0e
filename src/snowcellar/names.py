"""Identifiers: Snowflake's folding of case, quoting, and names of one to three parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snowcellar.errors import CompilationError, WarehouseError

PART = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
"""One identifier, as a regular expression for the patterns that recognise statements."""

NAME = rf"(?:IDENTIFIER\s*\(\s*'[^']+'\s*\)|{PART}(?:\s*\.\s*{PART}){{0,2}})"
"""A name of one to three parts, or IDENTIFIER('...'), for the same patterns."""

_IDENTIFIER_CALL = re.compile(r"\AIDENTIFIER\s*\(\s*'([^']+)'\s*\)\Z", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class QualifiedName:
    """The full name of an object in a schema, folded: what dictionaries are keyed by."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return ".".join(display(part) for part in (self.database, self.schema, self.name))

    @property
    def quoted(self) -> str:
        return ".".join(quote(part) for part in (self.database, self.schema, self.name))


def fold(part: str) -> str:
    """The name an identifier stands for: upper case, or exact when quoted (SEMANTICS 32)."""
    if part.startswith('"') and part.endswith('"') and len(part) > 1:
        return part[1:-1].replace('""', '"')
    return part.upper()


def quote(part: str) -> str:
    """A folded name as a quoted identifier."""
    return '"' + part.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def display(part: str) -> str:
    """A folded name as Snowflake prints it: quoted only where it must be."""
    return part if re.fullmatch(r"[A-Z_][A-Z0-9_$]*", part) else quote(part)


def split(name: str) -> list[str]:
    """The folded parts of a dotted name, IDENTIFIER('...') unwrapped."""
    if call := _IDENTIFIER_CALL.match(name.strip()):
        name = call[1]
    parts = re.findall(PART, name)
    if not 1 <= len(parts) <= 3:
        raise CompilationError(f"invalid identifier '{name}'", 904)
    return [fold(part) for part in parts]


def qualify(name: str, database: str | None, schema: str | None) -> QualifiedName:
    """The full name that a name of one to three parts stands for in a session's context."""
    parts = split(name)
    if len(parts) < 3 and database is None:
        raise WarehouseError(
            f"Cannot resolve '{name}'. This session does not have a current database. "
            "Call 'USE DATABASE', or use a qualified name.",
            90105,
            "22000",
        )
    if len(parts) == 1 and schema is None:
        raise WarehouseError(
            f"Cannot resolve '{name}'. This session does not have a current schema. "
            "Call 'USE SCHEMA', or use a qualified name.",
            90106,
            "22000",
        )
    context = [database or "", schema or ""]
    return QualifiedName(*context[: 3 - len(parts)], *parts)
