"""What a deployment would change, told from its statements and from what the database has."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlglot
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

# What SHOW <kind>S lists. Roles, warehouses and databases are the account's, the others the database's.
_OF_ACCOUNT: Final = ("ROLE", "WAREHOUSE", "DATABASE")
_KINDS: Final = (
    *_OF_ACCOUNT,
    *("SCHEMA", "TABLE", "STREAM", "STAGE", "FILE FORMAT", "TASK", "VIEW", "ALERT", "PROCEDURE", "TAG"),
)
_CREATE: Final = re.compile(
    rf"CREATE\s+(?P<how>OR\s+(?:REPLACE|ALTER)\s+)?(?P<kind>{'|'.join(_KINDS)})\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>[\w.$]+)",
    re.IGNORECASE,
)
# What is not there yet, and a kind of object that the account, or snowcellar, does not have.
_NOT_THERE: Final = (2003, 2043)
_UNSUPPORTED: Final = 2
_CONTEXT: Final = re.compile(r"USE\s", re.IGNORECASE)

KEPT: Final = "keep"
CREATED: Final = "create"
REPLACED: Final = "replace"
ALTERED: Final = "alter"
RUN: Final = "run"

Existing = Mapping[str, set[str]]
"""By kind: the names that are there, SCHEMA.NAME or NAME."""
Columns = Mapping[str, list[str]]
"""By table (SCHEMA.NAME): its columns."""


@dataclass(frozen=True)
class Change:
    """What one statement would do: keep, create, replace or alter an object, or run, as a GRANT is."""

    action: str
    thing: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action:<8} {self.thing}{': ' if self.detail else ''}{self.detail}"


def plan(
    session: SnowflakeConnection,
    database: str,
    statements: Iterable[tuple[Path, str]],
    procedures: Iterable[str] = (),
) -> Iterator[Change]:
    """One change a statement, in order; what only sets the context is left out. Procedures come last."""
    existing = dict(_existing(session, database))
    columns = _columns(session, database)
    for _, statement in statements:
        if not _CONTEXT.match(statement):
            yield change(statement, existing, columns)
    for procedure in procedures:
        there = procedure in existing["PROCEDURE"]
        yield Change(REPLACED if there else CREATED, f"procedure {procedure}")


def change(statement: str, existing: Existing, columns: Columns) -> Change:
    """What a statement would do to a database that has this."""
    match = _CREATE.match(statement)
    if match is None:
        return Change(RUN, " ".join(statement.split())[:100])
    kind, name = " ".join(match["kind"].upper().split()), match["name"].upper()
    thing, how = f"{kind.lower()} {name}", " ".join((match["how"] or "").upper().split())
    if name not in existing.get(kind, set()):
        return Change(CREATED, thing)
    if how == "OR REPLACE":
        return Change(REPLACED, thing)
    if how == "OR ALTER" and kind == "TABLE":
        there = columns.get(name, [])
        added = [f"adds {column}" for column in written_columns(statement) if column not in there]
        dropped = [f"DROPS {column}" for column in _lost(statement, there)]
        details = ", ".join((*added, *dropped))
        return Change(ALTERED, thing, details) if details else Change(KEPT, thing)
    return Change(KEPT, thing)


def lost_columns(
    session: SnowflakeConnection, database: str, statements: Iterable[tuple[Path, str]]
) -> dict[str, list[str]]:
    """The columns that are there and that CREATE OR ALTER TABLE would drop, by table."""
    columns = _columns(session, database)
    found: dict[str, list[str]] = {}
    for _, statement in statements:
        match = _CREATE.match(statement)
        if match and match["kind"].upper() == "TABLE" and "ALTER" in (match["how"] or "").upper():
            name = match["name"].upper()
            if lost := _lost(statement, columns.get(name, [])):
                found[name] = lost
    return found


def _lost(statement: str, there: Iterable[str]) -> list[str]:
    wanted = written_columns(statement)
    return [column for column in there if column not in wanted]


def written_columns(statement: str) -> list[str]:
    """The columns that a CREATE OR ALTER TABLE names."""
    plain = re.sub(r"\ACREATE\s+OR\s+ALTER", "CREATE", statement, flags=re.IGNORECASE)
    return [
        column.name.upper() for column in sqlglot.parse_one(plain, read="snowflake").find_all(exp.ColumnDef)
    ]


def summary(changes: Iterable[Change]) -> list[str]:
    """A line for each object that is created, replaced or altered; the rest is counted."""
    everything = list(changes)
    shown = [str(each) for each in everything if each.action in (CREATED, REPLACED, ALTERED)]
    kept, run = (sum(each.action == action for each in everything) for action in (KEPT, RUN))
    return [*shown, f"{KEPT:<8} {kept} objects as they are", f"{RUN:<8} {run} grants and other statements"]


def _existing(session: SnowflakeConnection, database: str) -> Iterator[tuple[str, set[str]]]:
    for kind in _KINDS:
        where = "" if kind in _OF_ACCOUNT else f" IN DATABASE {quoted(database)}"
        yield kind, {_name(kind, row) for row in rows(session, f"SHOW {kind}S{where}")}


def _name(kind: str, row: Mapping[str, object]) -> str:
    if kind in (*_OF_ACCOUNT, "SCHEMA"):
        return str(row["name"])
    return f"{row['schema_name']}.{row['name']}"


def _columns(session: SnowflakeConnection, database: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = (
        f"SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM {quoted(database)}.INFORMATION_SCHEMA.COLUMNS"  # noqa: S608 - quoted
        " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    )
    for row in rows(session, query):
        found.setdefault(f"{row['TABLE_SCHEMA']}.{row['TABLE_NAME']}", []).append(str(row["COLUMN_NAME"]))
    return found


def rows(session: SnowflakeConnection, statement: str) -> list[dict[str, object]]:
    """What a SHOW or SELECT answers; nothing where the thing is not there or not supported."""
    with session.cursor(DictCursor) as cursor:
        try:
            cursor.execute(statement)
        except ProgrammingError as error:
            # Whatever else is wrong is told: a list that is empty by mistake would let things be dropped.
            if error.errno in (*_NOT_THERE, _UNSUPPORTED):
                return []
            raise
        return [dict(row) for row in cursor.fetchall()]


def quoted(name: str) -> str:
    """A name that was not quoted where it was made, as a quoted identifier."""
    return '"' + name.upper().replace('"', '""') + '"'
