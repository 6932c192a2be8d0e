"""The rows that a stream shows: the change of its table or view since the stream's offset.

Standard streams show the minimal net change, append-only streams the inserted rows as they were inserted,
a stream with SHOW_INITIAL_ROWS first the rows that were there when it was created (SEMANTICS 3-6).
"""

from __future__ import annotations

from snowcellar.errors import CompilationError, ObjectNotFound
from snowcellar.session import Session
from snowcellar.streams import view_changes
from snowcellar.streams.registry import ROW_COLUMN, Stream
from snowcellar.streams.shown import show
from snowcellar.streams.table_image import TableImage, ranges_of
from snowcellar.transactions import Offset, Transaction


def offset(session: Session, transaction: Transaction, stream: Stream) -> Offset:
    """Where a stream stands, fixed at the transaction's first read of it: not past where it began."""
    if stream.name not in transaction.seen:
        meta = session.warehouse.meta(stream.name.database)
        found = session.duck.execute(
            f"SELECT initial_rows FROM {meta}.sc_streams WHERE stream_id = ?", [stream.stream_id]
        ).fetchall()
        if not found:
            raise ObjectNotFound("Stream", str(stream.name))
        rows = session.duck.execute(
            f"SELECT tx FROM {meta}.sc_pending WHERE stream_id = ?", [stream.stream_id]
        ).fetchall()
        later = transaction.later.get(stream.name.database, set())
        transaction.seen[stream.name] = Offset(
            ranges_of(tx for (tx,) in rows if tx not in later), found[0][0]
        )
    return transaction.seen[stream.name]


def select_changes(session: Session, transaction: Transaction, stream: Stream) -> str:
    """A DuckDB query for the stream's rows: the source's columns, then the three METADATA$ columns."""
    if stream.stale:
        raise CompilationError(
            f"Base table '{stream.table}' dropped or replaced, cannot read from stream '{stream.name}'.",
            2149,
            "02000",
        )
    at = offset(session, transaction, stream)
    if stream.behind:
        return view_changes.select_changes(session, transaction, stream, at)
    image = TableImage(session, transaction, stream.table, at)
    if at.initial_rows:
        return _show(image, f"({image.then()})", "INSERT", False)
    return _show(image, f"({image.added()})", "INSERT", False) if stream.append_only else _net_change(image)


def _net_change(image: TableImage) -> str:
    """The minimal change between the offset and now: inserts, deletes, and updates as pairs."""
    if not image.is_changed(image.since):
        return _show(image, f"{image.table.quoted} WHERE {image.inserted}", "INSERT", False)
    now, before = image.now(), f"({image.first_images(f'{image.existed} AND {image.since}')})"
    differs = " OR ".join(f"b.{name} IS DISTINCT FROM n.{name}" for name in image.names)
    updated = f'{before} AS b JOIN ({now}) AS n ON n."{ROW_COLUMN}" = b."{ROW_COLUMN}" WHERE {differs}'
    still = f'SELECT "{ROW_COLUMN}" FROM ({now})'
    gone = f'(SELECT * FROM {before} AS b WHERE b."{ROW_COLUMN}" NOT IN ({still}))'
    return " UNION ALL ".join(
        [
            _show(image, f"(SELECT * FROM ({now}) WHERE {image.inserted})", "INSERT", False),
            _show(image, gone, "DELETE", False),
            _show(image, f"(SELECT b.* FROM {updated})", "DELETE", True),
            _show(image, f"(SELECT n.* FROM {updated})", "INSERT", True),
        ]
    )


def _show(image: TableImage, rows: str, action: str, is_update: bool) -> str:
    return show(image.names, f"'{image.table_id}.' || \"{ROW_COLUMN}\"", rows, action, is_update)
