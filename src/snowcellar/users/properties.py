"""NAME = value [, ...] as CREATE, ALTER ... SET and ALTER ... UNSET write it, for users and integrations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from snowcellar.clause_reader import ClauseReader, Written
from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.names import fold, split

Reader = Callable[[str, ClauseReader], Any]
"""From a property's name and the text that follows its equals sign to the value; None for NULL."""


Readers = Mapping[str, Reader]
Refused = Mapping[str, str]
"""Properties that Snowflake has and snowcellar has not, and what to do without each."""


def read_set(kind: str, readers: Readers, refused: Refused, text: str) -> dict[str, Any]:
    """The properties that a text sets, by name."""
    reader, found = ClauseReader(text), dict[str, Any]()
    while not reader.at_end:
        if reader.word() in ("WITH", "TAG"):
            raise Unsupported(f"tags of a {kind.lower()}")
        name = reader.key()
        _check(kind, readers, refused, name)
        if name in found:
            raise CompilationError(f"duplicate property '{name}';", 1428)
        found[name] = readers[name](name, reader)
    return found


def read_unset(kind: str, readers: Readers, refused: Refused, text: str) -> list[str]:
    """The properties that a text names."""
    names = [name.upper() for name in ClauseReader(text).names()]
    for name in names:
        _check(kind, readers, refused, name)
    return names


def _check(kind: str, readers: Readers, refused: Refused, name: str) -> None:
    if name in refused:
        raise Unsupported(f"{name} of a {kind.lower()}", refused[name])
    if name not in readers:
        raise CompilationError(f"invalid property '{name}' for '{kind}'", 1425)


def text(name: str, reader: ClauseReader) -> str | None:
    """A string, or a bare word as it is written."""
    written = _written(name, reader)
    return None if written is None else written.text


def upper_text(name: str, reader: ClauseReader) -> str | None:
    """A word that is the same in any case."""
    found = text(name, reader)
    return None if found is None else found.upper()


def flag(name: str, reader: ClauseReader) -> bool | None:
    """TRUE or FALSE."""
    written = _written(name, reader)
    if written is None:
        return None
    if written.text.upper() not in ("TRUE", "FALSE"):
        raise _invalid(written, name)
    return written.text.upper() == "TRUE"


def identifier(name: str, reader: ClauseReader) -> str | None:
    """The name of an object, folded; a string may hold it."""
    if reader.accept("NULL"):
        return None
    return ".".join(split(reader.name()))


def choice(*allowed: str) -> Reader:
    """One of some words."""

    def read(name: str, reader: ClauseReader) -> str | None:
        written = _written(name, reader)
        if written is None:
            return None
        for word in allowed:
            if written.text.upper() == word.upper():
                return word
        raise CompilationError(f"invalid value '{written.text}' for property '{name}'", 1422, "22023")

    return read


def texts(name: str, reader: ClauseReader) -> list[str]:
    """('a', 'b'), () or one string."""
    if not reader.accept("("):
        found = text(name, reader)
        return [] if found is None else [found]
    values: list[str] = []
    while not reader.accept(")"):
        reader.accept(",")
        values.append(str(text(name, reader)))
    return values


def names(name: str, reader: ClauseReader) -> list[str]:
    """As `texts`, each the name of an object, folded."""
    return [fold(value) for value in texts(name, reader)]


def _written(name: str, reader: ClauseReader) -> Written | None:
    if reader.accept("NULL"):
        return None
    written = reader.value(name)
    if not written.quoted and not re.fullmatch(r"-?[\w$.]+", written.text):
        # Such as ?: no value is bound in DDL.
        raise CompilationError(f"syntax error: unexpected '{written.text}'.")
    return written


def _invalid(written: Written, name: str) -> WarehouseError:
    return CompilationError(f"invalid value [{written}] for parameter '{name}'", 1008, "22023")
