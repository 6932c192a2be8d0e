"""Which files a table has been loaded from: by name and content, until it is truncated (SEMANTICS 35).

Source: https://docs.snowflake.com/en/user-guide/data-load-considerations-load
fakesnow's table is what INFORMATION_SCHEMA.LOAD_HISTORY shows; the contents are kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlglot import exp

from snowcellar.names import QualifiedName, literal
from snowcellar.relations import parse_duckdb
from snowcellar.session import Session
from snowcellar.streams.registry import HIDDEN_COLUMNS as HIDDEN_COLUMNS

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_loaded_files (
    schema_name VARCHAR, table_name VARCHAR, file_name VARCHAR, etag VARCHAR)
"""


def is_loaded(session: Session, table: QualifiedName, file: str, etag: str) -> bool:
    """Whether the table has been loaded from this file as it is now."""
    meta = session.warehouse.meta(table.database)
    rows = session.duck.execute(
        f"SELECT l.etag FROM {meta}._fs_load_history AS h LEFT JOIN {meta}.sc_loaded_files AS l "
        "USING (schema_name, table_name, file_name) "
        "WHERE h.schema_name = ? AND h.table_name = ? AND h.file_name = ?",
        [table.schema, table.name, file],
    ).fetchall()
    return any(kept in (None, etag) for (kept,) in rows)


def record(session: Session, table: QualifiedName, file: str, etag: str, loaded: int, parsed: int) -> None:
    """Remember that the table was loaded from a file."""
    meta = session.warehouse.meta(table.database)
    place = [table.schema, table.name, file]
    session.duck.execute(
        f"DELETE FROM {meta}.sc_loaded_files WHERE schema_name = ? AND table_name = ? AND file_name = ?",
        place,
    )
    session.duck.execute(f"INSERT INTO {meta}.sc_loaded_files VALUES (?, ?, ?, ?)", [*place, etag])
    session.duck.execute(
        f"INSERT INTO {meta}._fs_load_history VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, 0, 1)",
        [table.schema, file, table.name, datetime.now(UTC), "LOADED", loaded, parsed],
    )


def forget(session: Session, table: QualifiedName) -> None:
    """A table that is truncated may be loaded from the same files again."""
    session.duck.execute(
        f"DELETE FROM {session.warehouse.meta(table.database)}._fs_load_history "
        "WHERE schema_name = ? AND table_name = ?",
        [table.schema, table.name],
    )


def copy_history(session: Session, arguments: Mapping[str, exp.Expr]) -> exp.Query:
    """TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => ..., ...)), whatever its START_TIME."""
    named = arguments.get("TABLE_NAME") or arguments["0"]
    table = session.qualify(named.name)
    return parse_duckdb(  # type: ignore[no-any-return]
        'SELECT file_name AS "FILE_NAME", last_load_time AS "LAST_LOAD_TIME", row_count AS "ROW_COUNT", '
        'row_parsed AS "ROW_PARSED", first_error_message AS "FIRST_ERROR_MESSAGE", error_count AS '
        '"ERROR_COUNT", initcap_status AS "STATUS", '
        f'{literal(table.database)} AS "TABLE_CATALOG_NAME", schema_name AS "TABLE_SCHEMA_NAME", '
        'table_name AS "TABLE_NAME" FROM (SELECT *, '
        "upper(substr(status, 1, 1)) || lower(substr(status, 2)) AS initcap_status FROM "
        f"{session.warehouse.meta(table.database)}._fs_load_history "
        f"WHERE schema_name = {literal(table.schema)} AND table_name = {literal(table.name)})"
    )


TABLE_FUNCTIONS = {"COPY_HISTORY": copy_history}
