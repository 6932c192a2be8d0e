"""Where the grants lie on disk: two tables in the account's own file, each change in one transaction.

An object's owner is the grantee of OWNERSHIP on it, and a role's members are the grantees of USAGE on it,
so a single table holds owners, members, grants and future grants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from snowcellar.grants.key import Key

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

_GRANTS = "_fs_global._fs_information_schema.sc_grants"
_SETTINGS = "_fs_global._fs_information_schema.sc_grant_settings"
GLOBAL_DDL = f"""
CREATE TABLE IF NOT EXISTS {_GRANTS} (
    kind VARCHAR NOT NULL, in_database VARCHAR NOT NULL, in_schema VARCHAR NOT NULL, name VARCHAR NOT NULL,
    future_kind VARCHAR NOT NULL, privilege VARCHAR NOT NULL, grantee_kind VARCHAR NOT NULL,
    grantee VARCHAR NOT NULL, grant_option BOOLEAN NOT NULL, granted_by VARCHAR NOT NULL,
    created_on TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS {_SETTINGS} (
    kind VARCHAR NOT NULL, in_database VARCHAR NOT NULL, in_schema VARCHAR NOT NULL, name VARCHAR NOT NULL,
    setting VARCHAR NOT NULL, content VARCHAR NOT NULL
);
"""

_IDENTITY = "kind, in_database, in_schema, name, future_kind, privilege, grantee_kind, grantee"
_KEY = "kind, in_database, in_schema, name"


@dataclass(frozen=True)
class Grant:
    """One privilege on one object, or on every future object of a kind in it, held by one role or user."""

    key: Key
    privilege: str
    grantee: str
    granted_by: str
    future_kind: str = ""
    grantee_kind: str = "ROLE"
    grant_option: bool = False
    created_on: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    @property
    def identity(self) -> tuple[str, ...]:
        """What no two grants share: a second one of it replaces the first."""
        return (*astuple(self.key), self.future_kind, self.privilege, self.grantee_kind, self.grantee)


@dataclass(frozen=True)
class Setting:
    """A fact about an object: a schema's managed access, a role's comment, what a view reads."""

    key: Key
    setting: str
    content: str


@dataclass
class Change:
    """What is taken away, then what is added."""

    revoked: list[Grant] = field(default_factory=list)
    granted: list[Grant] = field(default_factory=list)
    dropped: list[Key] = field(default_factory=list)
    """Objects that are gone, with all that was on them."""
    settings: list[Setting] = field(default_factory=list)
    unset: list[tuple[Key, str]] = field(default_factory=list)


def load(warehouse: Warehouse) -> tuple[list[Grant], list[Setting]]:
    """Everything that was kept."""
    with warehouse.cursor() as duck:
        rows = duck.execute(
            f"SELECT {_IDENTITY}, grant_option, granted_by, created_on FROM {_GRANTS}"
        ).fetchall()
        settings = duck.execute(f"SELECT {_KEY}, setting, content FROM {_SETTINGS}").fetchall()
    grants = [
        Grant(Key(*row[:4]), row[5], row[7], row[9], row[4], row[6], row[8], row[10].astimezone(UTC))
        for row in rows
    ]
    return grants, [Setting(Key(*row[:4]), row[4], row[5]) for row in settings]


def save(warehouse: Warehouse, change: Change) -> None:
    """Keep a change for good, all of it or nothing."""
    with warehouse.cursor() as duck:
        duck.execute("BEGIN TRANSACTION")
        try:
            for key in change.dropped:
                where, values = _within(key)
                duck.execute(f"DELETE FROM {_GRANTS} WHERE {where}", values)
                duck.execute(f"DELETE FROM {_SETTINGS} WHERE {where}", values)
                if key.kind == "ROLE":
                    duck.execute(
                        f"DELETE FROM {_GRANTS} WHERE grantee_kind = 'ROLE' AND grantee = ?", [key.name]
                    )
                if key.kind == "USER":
                    duck.execute(
                        f"DELETE FROM {_GRANTS} WHERE grantee_kind = 'USER' AND grantee = ?", [key.name]
                    )
            for key, setting in _touched_settings(change):
                duck.execute(
                    f"DELETE FROM {_SETTINGS} WHERE ({_KEY}, setting) = (?, ?, ?, ?, ?)",
                    [*astuple(key), setting],
                )
            for grant in change.revoked:
                duck.execute(
                    f"DELETE FROM {_GRANTS} WHERE ({_IDENTITY}) = (?, ?, ?, ?, ?, ?, ?, ?)",
                    list(grant.identity),
                )
            if change.granted:
                row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                given = [value for grant in change.granted for value in _row(grant)]
                rows = ", ".join([row] * len(change.granted))
                duck.execute(f"INSERT INTO {_GRANTS} VALUES {rows}", given)
            for each in change.settings:
                duck.execute(
                    f"INSERT INTO {_SETTINGS} VALUES (?, ?, ?, ?, ?, ?)",
                    [*astuple(each.key), each.setting, each.content],
                )
        except BaseException:
            duck.execute("ROLLBACK")
            raise
        duck.execute("COMMIT")


def _row(grant: Grant) -> list[object]:
    return [*grant.identity, grant.grant_option, grant.granted_by, grant.created_on]


def _touched_settings(change: Change) -> Iterable[tuple[Key, str]]:
    yield from change.unset
    yield from ((each.key, each.setting) for each in change.settings)


def _within(key: Key) -> tuple[str, list[str]]:
    """What lies in an object, itself included."""
    if key.kind == "DATABASE":
        return "in_database = ?", [key.database]
    if key.kind == "SCHEMA":
        return "(in_database, in_schema) = (?, ?)", [key.database, key.schema]
    return f"({_KEY}) = (?, ?, ?, ?)", list(astuple(key))
