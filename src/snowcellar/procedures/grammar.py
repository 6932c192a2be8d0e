"""The text of CREATE PROCEDURE or CREATE FUNCTION, clause by clause, in any order.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-procedure
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import NAME, PART, fold
from snowcellar.procedures.data_types import TYPE, parse_type
from snowcellar.procedures.definition import CALLER, OWNER, Argument, Column

_STRING = r"'(?:[^'\\]|''|\\.)*'"
_TEXT = rf"(?:{_STRING}|\$\$.*?\$\$)"
_LIST = rf"\(\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*)?\)"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}

RUNTIME_VERSION = "3.11"
"""The one Python that runs the workers: the server's own."""


@dataclass
class Clauses:
    """What the text of a CREATE PROCEDURE says, before it is checked."""

    kind: str
    replace: bool
    temporary: bool
    if_not_exists: bool
    name: str
    arguments: tuple[Argument, ...]
    values: dict[str, Any] = field(default_factory=dict)


_HEAD = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?P<temporary>TEMP(?:ORARY)?\s+)?(?P<secure>SECURE\s+)?(?P<kind>PROCEDURE|FUNCTION)\s+"
    rf"(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})\s*(?=\()",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(
    rf"\s*(?P<name>{PART})\s+(?P<type>{TYPE})(?:\s+DEFAULT\s+(?P<default>.+?))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_COLUMN = re.compile(rf"\s*(?P<name>{PART})\s+(?P<type>{TYPE})\s*\Z", re.IGNORECASE)


def parse(text: str) -> Clauses:
    """The clauses of a CREATE PROCEDURE; what is unknown or not supported is refused by name."""
    head = _HEAD.match(text)
    if head is None:
        raise CompilationError(f"syntax error: unexpected '{text[:60]}'.")
    if head["secure"]:
        raise Unsupported(f"CREATE SECURE {head['kind'].upper()}")
    inside, position = parenthesised(text, head.end())
    arguments = tuple(_argument(part) for part in split_list(inside))
    clauses = Clauses(
        kind=head["kind"].upper(),
        replace=bool(head["replace"]),
        temporary=bool(head["temporary"]),
        if_not_exists=bool(head["exists"]),
        name=head["name"],
        arguments=arguments,
    )
    rest = text[position:]
    while rest := rest.lstrip():
        rest = _read_clause(clauses, rest)
    return clauses


def _read_clause(clauses: Clauses, rest: str) -> str:
    values = clauses.values
    if match := re.match(r"RETURNS\s+TABLE\s*(?=\()", rest, re.IGNORECASE):
        inside, position = parenthesised(rest, match.end())
        values["returns"] = tuple(_column(part) for part in split_list(inside))
        return rest[position:]
    for pattern, read in _CLAUSES:
        if match := pattern.match(rest):
            for key, value in read(match).items():
                if key in values:
                    raise CompilationError(f"duplicate clause '{key.upper()}' in CREATE {clauses.kind}.")
                values[key] = value
            return rest[match.end() :]
    if match := re.match(r"(?P<word>[A-Za-z_]\w*)", rest):
        raise Unsupported(f"CREATE {clauses.kind} ... {match['word'].upper()}")
    raise CompilationError(f"syntax error: unexpected '{rest[:40]}'.")


def _language(match: re.Match[str]) -> dict[str, Any]:
    language = match["language"].upper()
    if language not in ("PYTHON", "SQL"):
        raise Unsupported(f"LANGUAGE {language}", "Only Python is run here.")
    return {"language": language}


def _runtime(match: re.Match[str]) -> dict[str, Any]:
    version = match["version"].strip("'")
    if version != RUNTIME_VERSION:
        raise Unsupported(f"RUNTIME_VERSION = {version}", f"The workers run Python {RUNTIME_VERSION}.")
    return {"runtime_version": version}


def _execute_as(match: re.Match[str]) -> dict[str, Any]:
    rights = match["rights"].upper()
    if rights not in (OWNER, CALLER):
        raise Unsupported(f"EXECUTE AS {rights}")
    return {"execute_as": rights}


def _null_handling(match: re.Match[str]) -> dict[str, Any]:
    called = match[0].upper().startswith("CALLED")
    return {"null_handling": "CALLED ON NULL INPUT" if called else "RETURNS NULL ON NULL INPUT"}


_Clause = tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]]


def _clause(pattern: str, read: Callable[[re.Match[str]], dict[str, Any]]) -> _Clause:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), read


_CLAUSES: list[_Clause] = [
    _clause(r"COPY\s+GRANTS\b", lambda _: {"copy_grants": True}),
    _clause(r"(?:CALLED\s+ON\s+NULL\s+INPUT|RETURNS\s+NULL\s+ON\s+NULL\s+INPUT|STRICT)\b", _null_handling),
    _clause(
        rf"RETURNS\s+(?P<type>{TYPE})(?:(?P<not_null>\s+NOT)?\s+NULL(?!\s+ON))?",
        lambda match: {"returns": parse_type(match["type"]), "not_null": bool(match["not_null"])},
    ),
    _clause(r"LANGUAGE\s+(?P<language>\w+)", _language),
    _clause(
        r"(?P<volatility>VOLATILE|IMMUTABLE)\b", lambda match: {"volatility": match["volatility"].upper()}
    ),
    _clause(r"RUNTIME_VERSION\s*=\s*(?P<version>'[^']*'|[\d.]+)", _runtime),
    _clause(rf"PACKAGES\s*=\s*(?P<items>{_LIST})", lambda match: {"packages": _items(match["items"])}),
    _clause(rf"IMPORTS\s*=\s*(?P<items>{_LIST})", lambda match: {"imports": _items(match["items"])}),
    _clause(rf"HANDLER\s*=\s*(?P<text>{_STRING})", lambda match: {"handler": unquote(match["text"])}),
    _clause(rf"COMMENT\s*=\s*(?P<text>{_STRING})", lambda match: {"comment": unquote(match["text"])}),
    _clause(r"EXECUTE\s+AS\s+(?P<rights>OWNER|CALLER|RESTRICTED\s+CALLER)\b", _execute_as),
    _clause(rf"AS\s*(?P<text>{_TEXT})", lambda match: {"body": unquote(match["text"])}),
]


def _items(text: str) -> tuple[str, ...]:
    return tuple(unquote(item) for item in re.findall(_STRING, text))


def _argument(text: str) -> Argument:
    match = _ARGUMENT.match(text)
    if match is None:
        raise CompilationError(f"syntax error: unexpected '{text.strip()}' in the arguments of a procedure.")
    return Argument(fold(match["name"]), parse_type(match["type"]), match["default"])


def _column(text: str) -> Column:
    match = _COLUMN.match(text)
    if match is None:
        raise CompilationError(f"syntax error: unexpected '{text.strip()}' in RETURNS TABLE.")
    return Column(fold(match["name"]), parse_type(match["type"]))


def parse_types(text: str) -> tuple[str, ...]:
    """The overload key that a list of types names, as in DROP PROCEDURE p(VARCHAR, INT)."""
    return tuple(parse_type(part).name for part in split_list(text))


def unquote(text: str) -> str:
    """The text of a '...' or $$...$$ literal."""
    if text.startswith("$$"):
        return text[2:-2]
    return re.sub(
        r"''|\\(.)",
        lambda match: _ESCAPES.get(match[1], match[1]) if match[1] else "'",
        text[1:-1],
        flags=re.DOTALL,
    )


def parenthesised(text: str, start: int) -> tuple[str, int]:
    """(what stands inside the parentheses that open at `start`, the position after them)."""
    depth = 0
    for position, character in _outside_literals(text, start):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[start + 1 : position], position + 1
    raise CompilationError("syntax error: unexpected '<EOF>'.")


def split_list(text: str) -> list[str]:
    """The parts between the commas that stand in no parentheses and in no literal."""
    parts, depth, last = [], 0, 0
    for position, character in _outside_literals(text, 0):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[last:position])
            last = position + 1
    parts.append(text[last:])
    return [part for part in parts if part.strip()] if len(parts) == 1 else parts


_SKIPPED = re.compile(rf"{_STRING}|\$\$.*?\$\$|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def _outside_literals(text: str, start: int) -> Iterator[tuple[int, str]]:
    position = start
    while position < len(text):
        if match := _SKIPPED.match(text, position):
            position = match.end()
            continue
        yield position, text[position]
        position += 1
