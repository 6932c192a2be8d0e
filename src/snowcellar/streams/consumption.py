"""What a DML statement does to the offsets of the streams that it read (SEMANTICS 1, 2)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from snowcellar.names import QualifiedName
from snowcellar.session import Session
from snowcellar.streams import changes
from snowcellar.streams.registry import Stream, streams_on
from snowcellar.streams.table_image import within
from snowcellar.transactions import Transaction

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse


def consume(session: Session, transaction: Transaction, name: QualifiedName) -> None:
    """Move a stream's offset past what it has shown in this transaction; a rollback leaves it."""
    if name in transaction.consumed:
        return
    stream = session.warehouse.streams.stream(name)
    meta = session.warehouse.meta(name.database)
    if not changes.offset(session, transaction, stream).initial_rows:
        shown = within("tx", transaction.seen[name].pending)
        session.duck.execute(
            f"DELETE FROM {meta}.sc_pending WHERE stream_id = {stream.stream_id} AND {shown}"
        )
    # Otherwise it took the rows from before the stream; what came since stays pending.
    session.duck.execute(
        f"UPDATE {meta}.sc_streams SET initial_rows = FALSE, consumed_on = ? "
        f"WHERE stream_id = {stream.stream_id}",
        [datetime.now(UTC)],
    )
    transaction.consumed.add(name)
    if not session.warehouse.streams.changed_tables.isdisjoint({stream.table, *stream.behind}):
        transaction.after_commit.append(lambda: prune(session.warehouse, stream))


def prune(warehouse: Warehouse, stream: Stream) -> None:
    """Delete the before-images of a stream's table that no stream has yet to show.

    In a transaction of its own, one at a time: two consumers that deleted the same images would conflict.
    """
    for table in (stream.table, *stream.behind):
        _prune_table(warehouse, table)


def _prune_table(warehouse: Warehouse, table: QualifiedName) -> None:
    registry = warehouse.streams
    meta = warehouse.meta(table.database)
    with registry.prune_lock, contextlib.suppress(duckdb.Error), warehouse.cursor() as duck:
        tracked = registry.tables.get(table)
        if tracked is None:
            return
        images = tracked.before_images(meta)
        registry.changed_tables.discard(table)
        # One statement, so that it cannot miss a stream that is created meanwhile.
        duck.execute(
            f"DELETE FROM {images} WHERE change_tx NOT IN "
            f"(SELECT tx FROM {meta}.sc_pending WHERE {streams_on(table, meta)})"
        )
        if duck.execute(f"SELECT 1 FROM {images} LIMIT 1").fetchall():
            registry.changed_tables.add(table)
