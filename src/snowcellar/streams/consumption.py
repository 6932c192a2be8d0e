"""What a DML statement does to the offsets of the streams that it read (SEMANTICS 1, 2)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from snowcellar.names import QualifiedName
from snowcellar.session import Session
from snowcellar.streams import changes
from snowcellar.transactions import Transaction


def consume(session: Session, transaction: Transaction, name: QualifiedName) -> None:
    """Move a stream's offset past what it has shown in this transaction; a rollback leaves it."""
    if name in transaction.consumed:
        return
    transaction.consumed.add(name)
    registry = session.warehouse.streams
    stream = registry.streams[name]
    meta = session.warehouse.meta(name.database)
    now = datetime.now(UTC)
    if stream.initial_rows:
        # The first consumption takes the rows from before the stream; what came since stays pending.
        session.duck.execute(
            f"UPDATE {meta}.sc_streams SET initial_rows = FALSE WHERE stream_id = {stream.stream_id}"
        )
    else:
        for low, high in changes.pending(session, transaction, stream):
            session.duck.execute(
                f"DELETE FROM {meta}.sc_pending "
                f"WHERE stream_id = {stream.stream_id} AND tx BETWEEN {low} AND {high}"
            )
    moved = dataclasses.replace(stream, initial_rows=False, consumed_on=now)
    transaction.after_commit.append(lambda: registry.streams.update({name: moved}))
