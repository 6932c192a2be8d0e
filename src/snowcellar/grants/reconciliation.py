"""At the start, what the catalogue knows and what there is are made one.

An object without an owner belongs to ACCOUNTADMIN: everything in a state that an older snowcellar made, and
what a crash left between a REPLACE and its grants. Grants on what is no longer there are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from snowcellar.grants.catalogue import ACCOUNTADMIN
from snowcellar.grants.key import Key, callable_key, key_of
from snowcellar.grants.kinds import OWNERSHIP
from snowcellar.grants.store import Change, Grant
from snowcellar.names import QualifiedName

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

_BUILT_IN = ("ACCOUNT", "ROLE")
"""Kinds whose objects are in the catalogue alone."""
_INTERNAL = "('main', 'pg_catalog', 'information_schema', '_fs_information_schema')"
_META = "_fs_global._fs_information_schema"


def reconcile(warehouse: Warehouse) -> None:
    """Give what has no owner to ACCOUNTADMIN, and forget what is gone."""
    catalogue = warehouse.grants
    there = set(_everything(warehouse))
    known = {key for key in catalogue.objects() if key.kind not in _BUILT_IN}
    owners = {Key("USER", name=user.name): user.owner for user in warehouse.users.all.values()}
    orphans = [_owned(key, owners.get(key) or ACCOUNTADMIN) for key in sorted(there - known)]
    gone = sorted(known - there)
    if orphans or gone:
        catalogue.apply(Change(granted=orphans, dropped=gone))


def _owned(key: Key, owner: str) -> Grant:
    return Grant(key, OWNERSHIP, owner, owner)


def _everything(warehouse: Warehouse) -> Iterator[Key]:
    databases = warehouse.databases()
    yield from (Key("DATABASE", database) for database in databases)
    yield from (Key("USER", name=name) for name in warehouse.users.all)
    yield from (Key("INTEGRATION", name=name) for name in warehouse.integrations.all)
    with warehouse.cursor() as duck:
        for kind, query in _QUERIES.items():
            for database, *names in duck.execute(query).fetchall():
                if database in databases:
                    yield Key(kind, database, *names)
        warehouses = duck.execute(f"SELECT name FROM {_META}.sc_warehouses").fetchall()
        yield from (Key("WAREHOUSE", name=name) for (name,) in warehouses)
        for database in databases:
            apps = duck.execute(f"SELECT app_schema, app_name FROM {warehouse.meta(database)}.sc_streamlits")
            yield from (Key("STREAMLIT", database, *row) for row in apps.fetchall())
    named: tuple[tuple[str, list[QualifiedName]], ...] = (
        ("STREAM", list(warehouse.streams.streams)),
        ("TASK", list(warehouse.tasks.tasks)),
        ("ALERT", list(warehouse.alerts.alerts)),
    )
    yield from (key_of(kind, name) for kind, names in named for name in names)
    for procedure in warehouse.procedures.all():
        yield callable_key("PROCEDURE", procedure.name, procedure.types)
    for function in warehouse.functions.all():
        yield callable_key("FUNCTION", function.name, function.types)


def _in_schemas(what: str, name: str, also: str = "") -> str:
    return (
        f"SELECT database_name, schema_name, {name} FROM {what} WHERE schema_name NOT IN {_INTERNAL} {also}"
    )


_QUERIES = {
    "SCHEMA": f"SELECT database_name, schema_name FROM duckdb_schemas() WHERE schema_name NOT IN {_INTERNAL}",
    "TABLE": _in_schemas("duckdb_tables()", "table_name", "AND NOT temporary"),
    "VIEW": _in_schemas("duckdb_views()", "view_name", "AND NOT temporary"),
    "SEQUENCE": _in_schemas("duckdb_sequences()", "sequence_name", "AND NOT temporary"),
    "STAGE": f"SELECT database_name, schema_name, name FROM {_META}._fs_stages",
    "FILE FORMAT": f"SELECT database_name, schema_name, name FROM {_META}._fs_file_formats",
}
