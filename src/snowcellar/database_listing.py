"""SHOW DATABASES and SHOW SCHEMAS: those that the role has any privilege on.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-databases, .../show-schemas
What is dropped is gone here, so HISTORY is refused. Drivers put a comment behind SHOW.
"""

from __future__ import annotations

import re
from typing import Any, Final

import pyarrow as pa

from snowcellar import show
from snowcellar.errors import ObjectNotFound, Unsupported
from snowcellar.grants.catalogue import MANAGED
from snowcellar.grants.key import Key
from snowcellar.grants.kinds import OWNERSHIP
from snowcellar.grants.rights import rights_of
from snowcellar.names import NAME, split
from snowcellar.result import Result
from snowcellar.session import Session

_HEAD: Final = r"SHOW\s+(?:/\*.*?\*/\s*)?(?P<terse>TERSE\s+)?"
_TAIL: Final = r"\b(?P<history>\s+HISTORY\b)?(?P<rest>.*)\Z"
_DATABASES = re.compile(rf"{_HEAD}DATABASES{_TAIL}", re.IGNORECASE | re.DOTALL)
_SCHEMAS = re.compile(rf"{_HEAD}SCHEMAS{_TAIL}", re.IGNORECASE | re.DOTALL)
_CLAUSES = re.compile(
    r"(?P<like>\s*(?:LIKE\s+'(?:[^']|'')*')?)"
    rf"(?:\s*IN\s+(?:(?P<account>ACCOUNT)\b|(?:DATABASE\b\s*)?(?P<database>(?!STARTS\b|LIMIT\b){NAME})?))?"
    r"(?P<left>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)

_TERSE: Final = ("created_on", "name", "kind", "database_name", "schema_name")
_OF_A_DATABASE: Final = (
    *("created_on", "name", "is_default", "is_current", "origin", "owner", "comment", "options"),
    *("retention_time", "kind", "budget", "owner_role_type"),
)
_OF_A_SCHEMA: Final = (
    *("created_on", "name", "is_default", "is_current", "database_name", "owner", "comment", "options"),
    *("retention_time", "owner_role_type", "budget"),
)


def show_databases(session: Session, match: re.Match[str]) -> Result:
    """SHOW [TERSE] DATABASES with LIKE, STARTS WITH and LIMIT."""
    names = _names(match, _OF_A_DATABASE)
    rows = [
        _row(session, key, names, {"name": key.database, "kind": "STANDARD", "origin": ""})
        for key in _seen(session, "DATABASE")
    ]
    return _answer(session, match["rest"], names, rows)


def show_schemas(session: Session, match: re.Match[str]) -> Result:
    """SHOW [TERSE] SCHEMAS with LIKE, IN, STARTS WITH and LIMIT; everywhere without a current database."""
    names = _names(match, _OF_A_SCHEMA)
    database = _place(session, match["rest"])
    databases = [key for key in _seen(session, "DATABASE") if database in (None, key.database)]
    keys = [key for key in _seen(session, "SCHEMA") if database in (None, key.database)]
    keys += [Key("SCHEMA", key.database, "INFORMATION_SCHEMA") for key in databases]
    rows = [
        _row(session, key, names, {"name": key.schema, "database_name": key.database}) for key in sorted(keys)
    ]
    return _answer(session, match["rest"], names, rows)


def _place(session: Session, rest: str) -> str | None:
    """The database whose schemas are asked for; None for all of them."""
    clauses = _CLAUSES.match(rest)
    if clauses is None or clauses["account"]:
        return None
    if not clauses["database"]:
        return session.database
    database = split(clauses["database"])[-1]
    if Key("DATABASE", database) not in _seen(session, "DATABASE"):
        raise ObjectNotFound("Database", database)
    return database


def _answer(session: Session, rest: str, names: tuple[str, ...], rows: list[list[Any]]) -> Result:
    """The place has been seen to; LIKE, STARTS WITH and LIMIT are what is left."""
    clauses = _CLAUSES.match(rest)
    assert clauses is not None, "every part of it may be missing"
    columns = [(name, pa.timestamp("us", "UTC") if name == "created_on" else pa.string()) for name in names]
    return show.answer(session, f"{clauses['like']} IN ACCOUNT {clauses['left']}", columns, rows)


def _names(match: re.Match[str], full: tuple[str, ...]) -> tuple[str, ...]:
    if match["history"]:
        raise Unsupported("SHOW ... HISTORY", "What is dropped is gone here.")
    return _TERSE if match["terse"] else full


def _seen(session: Session, kind: str) -> list[Key]:
    rights = rights_of(session)
    return [key for key in session.warehouse.grants.objects(kind) if rights.sees(key)]


def _row(session: Session, key: Key, names: tuple[str, ...], said: dict[str, Any]) -> list[Any]:
    owned = [grant for grant in session.warehouse.grants.grants_on(key) if grant.privilege == OWNERSHIP]
    current = (session.database, session.schema)[: 1 if key.kind == "DATABASE" else 2]
    values = {
        "created_on": owned[0].created_on if owned else None,
        "is_default": "N",
        "is_current": "Y" if (key.database, key.schema)[: len(current)] == current else "N",
        "owner": owned[0].grantee if owned else "",
        "comment": "",
        "options": MANAGED if session.warehouse.grants.setting(key, MANAGED) else "",
        "retention_time": "1",
        "owner_role_type": "ROLE",
        **said,
    }
    return [values.get(name) for name in names]


STATEMENTS = [(_DATABASES, show_databases), (_SCHEMAS, show_schemas)]
