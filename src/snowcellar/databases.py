"""CREATE and DROP DATABASE and SCHEMA: files and catalogs, and the session's current names.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-database, .../create-schema (SEMANTICS 33)
"""

from __future__ import annotations

import re

import duckdb
from fakesnow import statement_type

from snowcellar import engine, features
from snowcellar.errors import ObjectCannotBeUsed, ObjectExists, ObjectNotFound, Unsupported
from snowcellar.names import NAME, display, fold, qualify, quote, split
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.statement import Statement

_OPTIONS = (
    r"(?P<options>(?:\s+(?:COMMENT|DATA_RETENTION_TIME_IN_DAYS|MAX_DATA_EXTENSION_TIME_IN_DAYS)"
    r"\s*=\s*(?:'(?:[^']|'')*'|\d+))*)"
)
_CREATE_DATABASE = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?DATABASE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<name>{NAME}){_OPTIONS}\s*\Z",
    re.IGNORECASE,
)
_DROP_DATABASE = re.compile(
    rf"DROP\s+DATABASE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})(?:\s+(?:CASCADE|RESTRICT))?\Z",
    re.IGNORECASE,
)
_CREATE_SCHEMA = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?SCHEMA\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<name>{NAME})(?P<managed>\s+WITH\s+MANAGED\s+ACCESS)?{_OPTIONS}\s*\Z",
    re.IGNORECASE,
)
_DROP_SCHEMA = re.compile(
    rf"DROP\s+SCHEMA\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})(?:\s+(?:CASCADE|RESTRICT))?\Z",
    re.IGNORECASE,
)


def create_database(session: Session, match: re.Match[str]) -> Result:
    """CREATE DATABASE makes a file, a PUBLIC schema, and both current."""
    session.commit_before_ddl()
    name = fold(match["name"])
    if match["replace"]:
        raise Unsupported("CREATE OR REPLACE DATABASE", "Drop it first.")
    if display(name) != name:
        raise Unsupported(f"database name {name!r}", "Use letters, digits and underscores.")
    if name in session.warehouse.databases():
        if not match["exists"]:
            raise ObjectExists(name)
        session.use(name, "PUBLIC")
        return _done(f"{name} already exists, statement succeeded.")
    session.warehouse.attach(name)
    session.duck.execute(f'CREATE SCHEMA {quote(name)}."PUBLIC"')
    session.use(name, "PUBLIC")
    return _done(f"Database {name} successfully created.")


def drop_database(session: Session, match: re.Match[str]) -> Result:
    """DROP DATABASE deletes its file; there is no UNDROP."""
    session.commit_before_ddl()
    name = fold(match["name"])
    if name not in session.warehouse.databases():
        if match["exists"]:
            return _done("Drop statement executed successfully (object already dropped or not authorized).")
        raise ObjectNotFound("Database", name)
    if session.database == name:
        session.use(None, None)
    try:
        session.warehouse.drop(name)
    except duckdb.BinderException as error:
        raise Unsupported(f"DROP DATABASE {name} while other sessions use it") from error
    return _done(f"{name} successfully dropped.")


def create_schema(session: Session, match: re.Match[str]) -> Result:
    """CREATE SCHEMA, which also makes the schema and its database current (SEMANTICS 33)."""
    session.commit_before_ddl()
    full = qualify(f"{match['name']}.X", session.database, None)
    database, schema = full.database, full.schema
    if match["replace"]:
        raise Unsupported("CREATE OR REPLACE SCHEMA", "Drop it first.")
    if database not in session.warehouse.databases():
        raise ObjectNotFound("Database", database)
    found = _schema_exists(session, database, schema)
    if found and not match["exists"]:
        raise ObjectExists(schema)
    if not found:
        session.duck.execute(f"CREATE SCHEMA {quote(database)}.{quote(schema)}")
    session.use(database, schema)
    return _done(
        f"{schema} already exists, statement succeeded."
        if found
        else f"Schema {schema} successfully created."
    )


def use(session: Session, match: re.Match[str]) -> Result:
    """USE [DATABASE | SCHEMA] name; a database brings its PUBLIC schema with it."""
    parts = split(match["name"])
    kind = (match["kind"] or "").upper()
    if len(parts) == 1 and kind != "SCHEMA":
        database, schema, wanted = parts[0], "PUBLIC", None
    elif len(parts) <= 2:
        database, schema = (parts[0] if len(parts) == 2 else session.database or ""), parts[-1]
        wanted = schema
    else:
        raise ObjectNotFound("Schema", match["name"])
    if database not in session.warehouse.databases() or (
        wanted and not _schema_exists(session, database, wanted)
    ):
        raise ObjectCannotBeUsed(".".join(parts))
    session.use(database, schema)
    return Result.status("Statement executed successfully.", statement_type.USE)


def _schema_exists(session: Session, database: str, schema: str) -> bool:
    query = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?"
    # Not on the session's own connection: its current database may have been dropped.
    with session.warehouse.cursor() as duck:
        return bool(duck.execute(query, [database, schema]).fetchall())


def drop_schema(session: Session, match: re.Match[str]) -> Result:
    """DROP SCHEMA, and with it what the features keep there."""
    parts = split(match["name"])
    database = parts[0] if len(parts) > 1 else session.database
    result = engine.run(session, Statement(match.string), None)
    for feature in features.MODULES:
        if on_drop_schema := getattr(feature, "on_drop_schema", None):
            on_drop_schema(session.warehouse, database, parts[-1])
    return result


def _done(message: str) -> Result:
    return Result.status(message, statement_type.DDL)


_USE = re.compile(
    rf"USE\s+(?:(?P<kind>DATABASE|SCHEMA)\s+)?(?P<name>(?!ROLE\b|WAREHOUSE\b|SECONDARY\b){NAME})\Z",
    re.IGNORECASE,
)

STATEMENTS = [
    (_DROP_SCHEMA, drop_schema),
    (_USE, use),
    (_CREATE_DATABASE, create_database),
    (_DROP_DATABASE, drop_database),
    (_CREATE_SCHEMA, create_schema),
]
