"""What a transaction records about the rows that it writes to tracked tables.

Inserted rows carry the transaction's number by a column default, at no cost. Before an UPDATE, DELETE,
MERGE or TRUNCATE, the rows that it may touch are copied to the table's before-images: more than it will
change does no harm, because a stream shows the net change. At the commit the streams of the tables are
told the transaction's number, which is what makes the rows visible to them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb

from snowcellar.binds import DuckSql, Params
from snowcellar.errors import TableChanged
from snowcellar.names import QualifiedName
from snowcellar.streams.registry import (
    ROW_COLUMN,
    TX_COLUMN,
    TX_VARIABLE,
    TrackedTable,
    column_list,
    table_columns,
)
from snowcellar.transactions import Transaction

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse


def announce_write(session: Session, transaction: Transaction, table: QualifiedName) -> TrackedTable | None:
    """Prepare a transaction to write to a table; None when no stream makes us track it."""
    transaction.written.add(table)
    tracked = session.warehouse.streams.tables.get(table)
    if tracked is None:
        return None
    number = _number(session, transaction, table.database)
    session.duck.execute(f"SET VARIABLE {TX_VARIABLE} = {number}")
    transaction.announced.add(table)
    return tracked


def record_before_images(
    session: Session, transaction: Transaction, tracked: TrackedTable, touched: DuckSql, params: Params
) -> None:
    """Copy rows of a tracked table before they change.

    touched: SELECT * of the rows, with hidden columns.
    """
    registry = session.warehouse.streams
    if not registry.of_table(tracked.name):
        return
    registry.changed_tables.add(tracked.name)
    meta = session.warehouse.meta(tracked.name.database)
    columns = table_columns(session.duck, tracked.name)
    names = column_list(columns)
    number = transaction.numbers[tracked.name.database]
    session.duck.execute(
        f"INSERT INTO {tracked.before_images(meta)} "
        f'(change, change_tx, "{ROW_COLUMN}", "{TX_COLUMN}", {names}) '
        f"SELECT nextval('{meta}.sc_change'), {number}, "
        f'"{ROW_COLUMN}", "{TX_COLUMN}", {names} FROM ({touched.text})',
        touched.values(params),
    )


@contextlib.contextmanager
def tell_streams(
    warehouse: Warehouse, duck: duckdb.DuckDBPyConnection, transaction: Transaction
) -> Iterator[None]:
    """Add the transaction to what the streams of its tables have yet to show; commit inside."""
    registry = warehouse.streams
    with registry.commit_lock:
        for table in transaction.written - transaction.announced:
            if table in registry.tables:
                # It was not tracked when it was written to, so the stream would miss the change.
                raise TableChanged(str(table))
        for database in {table.database for table in transaction.announced}:
            number = transaction.numbers[database]
            streams = {
                stream.stream_id
                for table in transaction.announced
                if table.database == database
                for stream in registry.of_table(table)
            }
            if streams:
                values = ", ".join(f"({stream_id}, {number})" for stream_id in sorted(streams))
                duck.execute(f"INSERT INTO {warehouse.meta(database)}.sc_pending VALUES {values}")
        registry.commits(transaction)
        yield


def _number(session: Session, transaction: Transaction, database: str) -> int:
    if database not in transaction.numbers:
        meta = session.warehouse.meta(database)
        (number,) = session.duck.execute(f"SELECT nextval('{meta}.sc_tx')").fetchall()[0]
        transaction.numbers[database] = number
    return transaction.numbers[database]
