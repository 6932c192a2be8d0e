"""Which streams there are, and which tables are tracked because of them.

A tracked table has two hidden columns, both filled by their defaults:
    SNOWCELLAR$TX   the number of the transaction that inserted the row (null: before tracking began)
    SNOWCELLAR$ROW  the row's lasting number, which METADATA$ROW_ID is made of
and a table of before-images in the metadata schema for UPDATE, DELETE, MERGE and TRUNCATE.
A stream's offset is the set of committed transactions that it has yet to show (sc_pending), not a high
water mark: transactions commit in another order than they start, and a mark would pass over the late ones.
"""

from __future__ import annotations

import dataclasses
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from snowcellar.errors import ObjectNotFound
from snowcellar.names import QualifiedName, literal, quote
from snowcellar.transactions import Transaction

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
CREATE TABLE IF NOT EXISTS {meta}.sc_view_streams (
    stream_id BIGINT NOT NULL, table_schema VARCHAR NOT NULL, table_name VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS {meta}.sc_pending (stream_id BIGINT NOT NULL, tx BIGINT NOT NULL);
"""
_STREAM_COLUMNS = (
    "stream_schema, stream_name, stream_id, table_schema, table_name, "
    "append_only, comment, owner, created_on, stale"
)


@dataclass(frozen=True)
class Stream:
    """One stream, as its row in sc_streams says."""

    name: QualifiedName
    stream_id: int
    table: QualifiedName
    append_only: bool
    comment: str
    owner: str
    created_on: datetime
    stale: bool
    behind: tuple[QualifiedName, ...] = ()
    """For a stream on a view: the views and tables that it stands on. `table` is the view itself."""


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

    What a consumption moves (pending transactions, initial rows) is read in the transaction that asks.

    `commit_lock` is held while a transaction that wrote to tracked tables tells their streams and commits,
    and while a stream is created: so no commit falls between a stream's creation and its first row.
    """

    def __init__(self) -> None:
        self.commit_lock = threading.RLock()
        self.prune_lock = threading.Lock()
        self.changed_tables: set[QualifiedName] = set()
        """Tracked tables that may have before-images to prune; most are only ever inserted into."""
        self.found_empty: dict[QualifiedName, datetime] = {}
        """When SYSTEM$STREAM_HAS_DATA last was FALSE, which keeps a stream from going stale (SEMANTICS 7)."""
        self.streams: dict[QualifiedName, Stream] = {}
        self.tables: dict[QualifiedName, TrackedTable] = {}
        self._open_lock = threading.Lock()
        self._open: weakref.WeakSet[Transaction] = weakref.WeakSet()
        self.version = 0
        """Counts up with every change of what a name may stand for: kept translations are for one version."""

    def load(self, duck: duckdb.DuckDBPyConnection, database: str, meta: str) -> None:
        """Read a database's streams and tracked tables from its metadata."""
        self.forget(database)
        rows = duck.execute(f"SELECT table_schema, table_name, table_id FROM {meta}.sc_tracked").fetchall()
        for schema, table, table_id in rows:
            tracked = TrackedTable(QualifiedName(database, schema, table), table_id)
            if _is_tracked(duck, tracked.name):
                self.tables[tracked.name] = tracked
                self.changed_tables.add(tracked.name)
            else:
                forget_table(duck, tracked, meta)
        for row in duck.execute(f"SELECT {_STREAM_COLUMNS} FROM {meta}.sc_streams").fetchall():
            name, source = QualifiedName(database, row[0], row[1]), QualifiedName(database, row[3], row[4])
            behind = duck.execute(
                f"SELECT table_schema, table_name FROM {meta}.sc_view_streams WHERE stream_id = ?", [row[2]]
            ).fetchall()
            relations = tuple(QualifiedName(database, *each) for each in behind)
            stream = Stream(name, row[2], source, *row[5:])
            self.streams[name] = dataclasses.replace(stream, behind=relations)

    def forget(self, database: str) -> None:
        """Drop a database's streams and tables from memory."""
        self.streams = {name: stream for name, stream in self.streams.items() if name.database != database}
        self.tables = {name: table for name, table in self.tables.items() if name.database != database}
        self.version += 1

    def stream(self, name: QualifiedName) -> Stream:
        """A stream by its full name."""
        stream = self.streams.get(name)
        if stream is None:
            raise ObjectNotFound("Stream", str(name))
        return stream

    def began(self, transaction: Transaction) -> None:
        """Streams show a transaction nothing that commits from now on (SEMANTICS 2)."""
        with self._open_lock:
            self._open.add(transaction)

    def commits(self, transaction: Transaction) -> None:
        """A transaction commits, so that those that are open have begun before it."""
        with self._open_lock:
            for earlier in self._open:
                for database, number in transaction.numbers.items():
                    earlier.later.setdefault(database, set()).add(number)

    def of_table(self, table: QualifiedName) -> list[Stream]:
        """The streams on a table or view, and those on views that stand on it."""
        streams = list(self.streams.values())
        return [stream for stream in streams if stream.table == table or table in stream.behind]


def table_columns(duck: duckdb.DuckDBPyConnection, table: QualifiedName) -> list[tuple[str, str]]:
    """(name, DuckDB type) of a table's columns that a user sees, in order."""
    return [(name, kind) for name, kind, _ in columns_with_defaults(duck, table)]


def columns_with_defaults(
    duck: duckdb.DuckDBPyConnection, table: QualifiedName
) -> list[tuple[str, str, str | None]]:
    """(name, DuckDB type, default) of a table's columns that a user sees, in order."""
    rows = duck.execute(
        "SELECT column_name, data_type, column_default FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [table.database, table.schema, table.name],
    ).fetchall()
    return [row for row in rows if row[0] not in HIDDEN_COLUMNS]


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


def forget_table(duck: duckdb.DuckDBPyConnection, tracked: TrackedTable, meta: str) -> None:
    """Make the streams of a table that was dropped or replaced stale, and stop tracking it (SEMANTICS 7)."""
    make_stale(duck, tracked.name, meta)
    duck.execute(f"DELETE FROM {meta}.sc_tracked WHERE table_id = {tracked.table_id}")
    duck.execute(f"DROP TABLE IF EXISTS {tracked.before_images(meta)}")


def make_stale(duck: duckdb.DuckDBPyConnection, relation: QualifiedName, meta: str) -> None:
    """Make the streams on a table or view stale."""
    duck.execute(f"UPDATE {meta}.sc_streams SET stale = TRUE WHERE {streams_on(relation, meta)}")


def streams_on(relation: QualifiedName, meta: str) -> str:
    """The condition that a stream_id is that of a stream on a relation, or on a view that stands on it."""
    where = f"WHERE table_schema = {literal(relation.schema)} AND table_name = {literal(relation.name)}"
    return (
        f"stream_id IN (SELECT stream_id FROM {meta}.sc_streams {where} "
        f"UNION ALL SELECT stream_id FROM {meta}.sc_view_streams {where})"
    )


def _is_tracked(duck: duckdb.DuckDBPyConnection, table: QualifiedName) -> bool:
    """Whether a table has the hidden columns: not if a crash came right after its replacement."""
    rows = duck.execute(
        "SELECT 1 FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? AND column_name = ?",
        [table.database, table.schema, table.name, ROW_COLUMN],
    ).fetchall()
    return bool(rows)
