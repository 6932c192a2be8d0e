"""What a DML statement does to the offsets of the streams that it read (SEMANTICS 1, 2)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from snowcellar.names import QualifiedName
from snowcellar.session import Session
from snowcellar.streams import changes
from snowcellar.streams.registry import Stream
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
        # The transaction sees the same rows of sc_pending throughout, so these are the ones it has shown.
        session.duck.execute(f"DELETE FROM {meta}.sc_pending WHERE stream_id = {stream.stream_id}")
    # Otherwise it took the rows from before the stream; what came since stays pending.
    session.duck.execute(
        f"UPDATE {meta}.sc_streams SET initial_rows = FALSE, consumed_on = ? "
        f"WHERE stream_id = {stream.stream_id}",
        [datetime.now(UTC)],
    )
    transaction.consumed.add(name)
    if stream.table in session.warehouse.streams.changed_tables:
        transaction.after_commit.append(lambda: prune(session.warehouse, stream))


def prune(warehouse: Warehouse, stream: Stream) -> None:
    """Delete the before-images of a stream's table that no stream has yet to show.

    In a transaction of its own, one at a time: two consumers that deleted the same images would conflict.
    """
    registry = warehouse.streams
    meta = warehouse.meta(stream.table.database)
    with registry.prune_lock, contextlib.suppress(duckdb.Error), warehouse.cursor() as duck:
        tracked = registry.tables.get(stream.table)
        if tracked is None:
            return
        images = tracked.before_images(meta)
        registry.changed_tables.discard(stream.table)
        # One statement, so that it cannot miss a stream that is created meanwhile.
        duck.execute(
            f"DELETE FROM {images} WHERE change_tx NOT IN (SELECT tx FROM {meta}.sc_pending "
            f"JOIN {meta}.sc_streams USING (stream_id) WHERE table_schema = ? AND table_name = ?)",
            [stream.table.schema, stream.table.name],
        )
        if duck.execute(f"SELECT 1 FROM {images} LIMIT 1").fetchall():
            registry.changed_tables.add(stream.table)
