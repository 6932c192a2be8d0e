"""Which streams there are, and which tables are tracked because of them.

A tracked table has two hidden columns, both filled by their defaults:
    SNOWCELLAR$TX   the number of the transaction that inserted the row (null: before tracking began)
    SNOWCELLAR$ROW  the row's lasting number, which METADATA$ROW_ID is made of
and a table of before-images in the metadata schema for UPDATE, DELETE, MERGE and TRUNCATE.
A stream's offset is the set of committed transactions that it has yet to show (sc_pending), not a high
water mark: transactions commit in another order than they start, and a mark would pass over the late ones.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from snowcellar.names import QualifiedName, literal, quote

if TYPE_CHECKING:
    import duckdb

TX_COLUMN = "SNOWCELLAR$TX"
ROW_COLUMN = "SNOWCELLAR$ROW"
HIDDEN_COLUMNS = (TX_COLUMN, ROW_COLUMN)
TX_VARIABLE = "snowcellar_tx"

CATALOG_DDL = """
CREATE SEQUENCE IF NOT EXISTS {meta}.sc_tx;
CREATE SEQUENCE IF NOT EXISTS {meta}.sc_row;
CREATE SEQUENCE IF NOT EXISTS {meta}.sc_change;
CREATE SEQUENCE IF NOT EXISTS {meta}.sc_object;
CREATE TABLE IF NOT EXISTS {meta}.sc_tracked (
    table_schema VARCHAR NOT NULL, table_name VARCHAR NOT NULL, table_id BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS {meta}.sc_streams (
    stream_schema VARCHAR NOT NULL, stream_name VARCHAR NOT NULL, stream_id BIGINT NOT NULL,
    table_schema VARCHAR NOT NULL, table_name VARCHAR NOT NULL, append_only BOOLEAN NOT NULL,
    initial_rows BOOLEAN NOT NULL, comment VARCHAR NOT NULL, owner VARCHAR NOT NULL,
    created_on TIMESTAMPTZ NOT NULL, consumed_on TIMESTAMPTZ NOT NULL, stale BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS {meta}.sc_pending (stream_id BIGINT NOT NULL, tx BIGINT NOT NULL);
"""


@dataclass(frozen=True)
class Stream:
    """One stream, as its row in sc_streams says."""

    name: QualifiedName
    stream_id: int
    table: QualifiedName
    append_only: bool
    initial_rows: bool
    comment: str
    owner: str
    created_on: datetime
    consumed_on: datetime
    stale: bool


@dataclass(frozen=True)
class TrackedTable:
    """A table that has at least one stream, or had one."""

    name: QualifiedName
    table_id: int

    def before_images(self, meta: str) -> str:
        """The table of this table's before-images."""
        return f"{meta}.sc_before_{self.table_id}"


class StreamRegistry:
    """All streams and tracked tables of a warehouse, in memory; the rows on disk are the truth at start.

    `commit_lock` is held while a transaction that wrote to tracked tables tells their streams and commits,
    and while a stream is created: so no commit falls between a stream's creation and its first row.
    """

    def __init__(self) -> None:
        self.commit_lock = threading.RLock()
        self.streams: dict[QualifiedName, Stream] = {}
        self.tables: dict[QualifiedName, TrackedTable] = {}
        self.version = 0
        """Counts up with every change of what a name may stand for: kept translations are for one version."""

    def load(self, duck: duckdb.DuckDBPyConnection, database: str, meta: str) -> None:
        """Read a database's streams and tracked tables from its metadata."""
        self.forget(database)
        rows = duck.execute(f"SELECT table_schema, table_name, table_id FROM {meta}.sc_tracked").fetchall()
        for schema, table, table_id in rows:
            name = QualifiedName(database, schema, table)
            self.tables[name] = TrackedTable(name, table_id)
        for row in duck.execute(f"SELECT * FROM {meta}.sc_streams").fetchall():
            name, table = QualifiedName(database, row[0], row[1]), QualifiedName(database, row[3], row[4])
            self.streams[name] = Stream(name, row[2], table, *row[5:])

    def forget(self, database: str) -> None:
        """Drop a database's streams and tables from memory."""
        self.streams = {name: stream for name, stream in self.streams.items() if name.database != database}
        self.tables = {name: table for name, table in self.tables.items() if name.database != database}

    def of_table(self, table: QualifiedName) -> list[Stream]:
        """The streams on a table."""
        return [stream for stream in self.streams.values() if stream.table == table]


def table_columns(duck: duckdb.DuckDBPyConnection, table: QualifiedName) -> list[tuple[str, str]]:
    """(name, DuckDB type) of a table's columns that a user sees, in order."""
    rows = duck.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [table.database, table.schema, table.name],
    ).fetchall()
    return [(name, kind) for name, kind in rows if name not in HIDDEN_COLUMNS]


def column_list(columns: Sequence[tuple[str, str]]) -> str:
    """The columns' names, quoted and separated."""
    return ", ".join(quote(name) for name, _ in columns)


def track(duck: duckdb.DuckDBPyConnection, table: QualifiedName, meta: str) -> TrackedTable:
    """Add the hidden columns and the before-images to a table; to be run inside a transaction."""
    (table_id,) = duck.execute(f"SELECT nextval('{meta}.sc_object')").fetchall()[0]
    tracked = TrackedTable(table, table_id)
    images = tracked.before_images(meta)
    columns = column_list(table_columns(duck, table))
    duck.execute(
        f"CREATE TABLE {images} AS SELECT 0::BIGINT AS change, 0::BIGINT AS change_tx, "
        f'0::BIGINT AS "{ROW_COLUMN}", 0::BIGINT AS "{TX_COLUMN}", {columns} FROM {table.quoted} LIMIT 0'
    )
    duck.execute(
        f'ALTER TABLE {table.quoted} ADD COLUMN "{TX_COLUMN}" BIGINT '
        f"DEFAULT CAST(getvariable('{TX_VARIABLE}') AS BIGINT)"
    )
    duck.execute(
        f"ALTER TABLE {table.quoted} ADD COLUMN \"{ROW_COLUMN}\" BIGINT DEFAULT nextval('{meta}.sc_row')"
    )
    # The variable may hold this transaction's number; rows from before are numbered null.
    duck.execute(f'UPDATE {table.quoted} SET "{TX_COLUMN}" = NULL WHERE "{TX_COLUMN}" IS NOT NULL')
    duck.execute(
        f"INSERT INTO {meta}.sc_tracked VALUES ({literal(table.schema)}, {literal(table.name)}, {table_id})"
    )
    return tracked
