"""What a GRANT, REVOKE or SHOW GRANTS names: an object, or all or the future ones of a kind in a place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snowcellar.errors import CompilationError
from snowcellar.grants.key import ACCOUNT, Key, callable_key, key_of
from snowcellar.grants.kinds import (
    ACCOUNT_LEVEL,
    DATABASE_LEVEL,
    HAS_ARGUMENTS,
    KINDS,
    PLURALS,
    RELATIONS,
    WORDS_OF_KINDS,
    Kind,
)
from snowcellar.grants.rights import not_found
from snowcellar.names import NAME, qualify, split
from snowcellar.procedures import grammar
from snowcellar.session import Session

_KIND = "|".join(re.sub(r" ", r"\\s+", name) for name in WORDS_OF_KINDS)
_FLAGS = re.IGNORECASE | re.DOTALL
_BULK = re.compile(
    rf"(?P<which>ALL|FUTURE)\s+(?P<kind>{_KIND})\s+IN\s+(?P<place>SCHEMA|DATABASE)\s+(?P<name>{NAME})\Z",
    _FLAGS,
)
_ONE = re.compile(
    rf"(?P<kind>{_KIND})\s+(?P<name>{NAME})\s*(?P<arguments>\((?P<types>[^()]*(?:\([^()]*\)[^()]*)*)\))?\Z",
    _FLAGS,
)


@dataclass(frozen=True)
class Target:
    """What is granted on. which: ONE, ALL or FUTURE; place: where the objects of ALL and FUTURE lie."""

    kind: Kind
    which: str
    keys: tuple[Key, ...]
    place: Key


def read(session: Session, text: str) -> Target:
    """The target that a statement names; an object must exist."""
    if text.strip().upper() == "ACCOUNT":
        return Target(KINDS["ACCOUNT"], "ONE", (ACCOUNT,), ACCOUNT)
    if bulk := _BULK.match(text.strip()):
        return _read_bulk(session, bulk)
    one = _ONE.match(text.strip())
    if one is None or (kind := KINDS.get(_words(one["kind"]))) is None:
        raise CompilationError(f"syntax error: unexpected '{text.strip()[:60]}'.")
    key = named(session, kind, one["name"], one["types"] if one["arguments"] else None)
    if not session.warehouse.grants.exists(key):
        raise not_found(key) if kind.name not in RELATIONS else _missing(kind, key)
    return Target(kind, "ONE", (key,), key)


def named(session: Session, kind: Kind, name: str, types: str | None = None) -> Key:
    """The key of an object that a statement names."""
    if kind.name == "DATABASE":
        return Key("DATABASE", split(name)[0])
    if kind.level == ACCOUNT_LEVEL:
        return Key(kind.name, name=split(name)[0])
    if kind.level == DATABASE_LEVEL:
        full = qualify(f"{name}.X", session.database, None)
        return Key("SCHEMA", full.database, full.schema)
    full = session.qualify(name)
    if kind.name in HAS_ARGUMENTS:
        if types is None:
            raise CompilationError(f"syntax error: {kind.name} {full.name} needs the types of its arguments.")
        return callable_key(kind.name, full, grammar.parse_types(types))
    if kind.name in RELATIONS:
        found = session.warehouse.grants.relation(full.database, full.schema, full.name)
        if found is not None and found.kind == kind.name:
            return found
    return key_of(kind.name, full)


def _read_bulk(session: Session, match: re.Match[str]) -> Target:
    words = _words(match["kind"])
    kind = PLURALS.get(words)
    if kind is None:
        raise CompilationError(f"syntax error: unexpected '{words}'; {KINDS[words].plural} is meant.")
    place = named(session, KINDS[match["place"].upper()], match["name"])
    if not session.warehouse.grants.exists(place):
        raise not_found(place)
    if kind.level == ACCOUNT_LEVEL or (kind.level == DATABASE_LEVEL and place.kind == "SCHEMA"):
        raise CompilationError(f"syntax error: {kind.plural} do not lie in a {place.kind.lower()}.")
    if match["which"].upper() == "FUTURE":
        return Target(kind, "FUTURE", (), place)
    keys = [key for key in session.warehouse.grants.objects(kind.name) if place in key.parents]
    return Target(kind, "ALL", tuple(keys), place)


def _words(text: str) -> str:
    return " ".join(text.upper().split())


def _missing(kind: Kind, key: Key) -> CompilationError:
    return CompilationError(
        f"{kind.name.capitalize()} '{key}' does not exist or not authorized.", 2003, "02000"
    )
