"""DESCRIBE STAGE, FILE FORMAT, SEQUENCE, SCHEMA, DATABASE and WAREHOUSE.

Source: https://docs.snowflake.com/en/sql-reference/sql/desc-stage and its neighbours
Deviation: of a file format and a stage, the options that were given are shown, and not the defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from snowcellar.errors import ObjectNotFound
from snowcellar.grants import rules
from snowcellar.grants.key import Key
from snowcellar.loading import file_formats
from snowcellar.loading.file_formats import Options
from snowcellar.names import NAME, fold, literal, quote, split
from snowcellar.result import Result
from snowcellar.session import Session

_DESCRIBE = r"DESC(?:RIBE)?\s+"
_TYPES: dict[type, str] = {bool: "Boolean", int: "Integer", list: "List"}


def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile(rf"{_DESCRIBE}{kind}\s+(?P<name>{NAME})\s*\Z", re.IGNORECASE)


def describe_stage(session: Session, match: re.Match[str]) -> Result:
    """What CREATE STAGE said of the files."""
    name = session.qualify(match["name"])
    _require(session, "Stage", "STAGES", name.schema, name.database, name.name)
    options = file_formats.of_stage(session, name)
    columns = ("parent_property", "property", "property_type", "property_value", "property_default")
    rows = [["STAGE_FILE_FORMAT", *_property(key, value), ""] for key, value in options.items()]
    return Result.rows([(column, pa.string()) for column in columns], rows)


def describe_file_format(session: Session, match: re.Match[str]) -> Result:
    """Its options."""
    name = session.qualify(match["name"])
    options: Options = file_formats.of_name(session, name.quoted)
    columns = ("property", "property_type", "property_value", "property_default")
    rows = [[*_property(key, value), ""] for key, value in options.items()]
    return Result.rows([(column, pa.string()) for column in columns], rows)


def _property(key: str, value: Any) -> list[str]:
    text = json.dumps(value) if isinstance(value, bool | list) else str(value)
    return [key, _TYPES.get(type(value), "String"), text]


def describe_sequence(session: Session, match: re.Match[str]) -> Result:
    """The row that SHOW SEQUENCES has of it."""
    name = session.qualify(match["name"])
    return _require(session, "Sequence", "SEQUENCES", name.schema, name.database, name.name)


def describe_warehouse(session: Session, match: re.Match[str]) -> Result:
    """That it is there."""
    name = fold(match["name"])
    found = session.execute(f"SHOW WAREHOUSES LIKE {literal(name)}")
    rows = [row for row in found.table.to_pylist() if row["name"] == name]
    if not rows:
        raise ObjectNotFound("Warehouse", name)
    return Result.rows(
        [("created_on", pa.timestamp("us", "UTC")), ("name", pa.string()), ("kind", pa.string())],
        [[row["created_on"], row["name"], "WAREHOUSE"] for row in rows],
    )


def describe_schema(session: Session, match: re.Match[str]) -> Result:
    """Its tables and views."""
    parts = split(match["name"])
    database, schema = parts if len(parts) == 2 else (session.database or "", parts[0])
    if not session.warehouse.grants.exists(Key("SCHEMA", database, schema)):
        raise ObjectNotFound("Schema", f"{database}.{schema}")
    found = session.execute(f"SHOW OBJECTS IN SCHEMA {quote(database)}.{quote(schema)}")
    return _contents(found)


def describe_database(session: Session, match: re.Match[str]) -> Result:
    """Its schemas."""
    return _contents(session.execute(f"SHOW SCHEMAS IN DATABASE {match['name']}"), kind="SCHEMA")


def _contents(found: Result, kind: str = "") -> Result:
    rows = [[row["created_on"], row["name"], kind or row["kind"]] for row in found.table.to_pylist()]
    return Result.rows(
        [("created_on", pa.timestamp("us", "UTC")), ("name", pa.string()), ("kind", pa.string())], rows
    )


def _require(session: Session, kind: str, shown: str, schema: str, database: str, name: str) -> Result:
    found = session.execute(f"SHOW {shown} IN SCHEMA {quote(database)}.{quote(schema)}")
    positions = [i for i, row in enumerate(found.table.to_pylist()) if row["name"] == name]
    if not positions:
        raise ObjectNotFound(kind, f"{database}.{schema}.{name}")
    return Result(found.table.slice(positions[0], 1), found.types)


_HANDLERS: dict[str, Callable[[Session, re.Match[str]], Result]] = {
    "STAGE": describe_stage,
    r"FILE\s+FORMAT": describe_file_format,
    "SEQUENCE": describe_sequence,
    "WAREHOUSE": describe_warehouse,
    "SCHEMA": describe_schema,
    "DATABASE": describe_database,
}


def _schema(session: Session, match: re.Match[str]) -> Key:
    parts = split(match["name"])
    return Key("SCHEMA", *(parts if len(parts) == 2 else (session.database or "", parts[0])))


STATEMENTS = [(_pattern(kind), handler) for kind, handler in _HANDLERS.items()]
RULES = {
    describe_stage: rules.shows(rules.in_schema("STAGE")),
    describe_file_format: rules.shows(rules.in_schema("FILE FORMAT")),
    describe_sequence: rules.shows(rules.in_schema("SEQUENCE")),
    describe_warehouse: rules.shows(lambda _, match: Key("WAREHOUSE", name=fold(match["name"]))),
    describe_schema: rules.shows(_schema),
    describe_database: rules.shows(lambda _, match: Key("DATABASE", fold(match["name"]))),
}
