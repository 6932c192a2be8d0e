"""The rows that a stream shows: the change of its table since the stream's offset.

Standard streams show the minimal net change, append-only streams the inserted rows as they were inserted,
a stream with SHOW_INITIAL_ROWS first the rows that were there when it was created (SEMANTICS 3-6).
"""

from __future__ import annotations

from snowcellar.errors import CompilationError, ObjectNotFound
from snowcellar.names import quote
from snowcellar.session import Session
from snowcellar.streams.registry import ROW_COLUMN, TX_COLUMN, Stream, table_columns
from snowcellar.transactions import Offset, Transaction, TxRanges

ACTION = "METADATA$ACTION"
IS_UPDATE = "METADATA$ISUPDATE"
ROW_ID = "METADATA$ROW_ID"


def offset(session: Session, transaction: Transaction, stream: Stream) -> Offset:
    """Where a stream stands, fixed at the transaction's first read of it."""
    if stream.name not in transaction.seen:
        meta = session.warehouse.meta(stream.name.database)
        found = session.duck.execute(
            f"SELECT initial_rows FROM {meta}.sc_streams WHERE stream_id = ?", [stream.stream_id]
        ).fetchall()
        if not found:
            raise ObjectNotFound("Stream", str(stream.name))
        rows = session.duck.execute(
            f"SELECT tx FROM {meta}.sc_pending WHERE stream_id = ? ORDER BY tx", [stream.stream_id]
        ).fetchall()
        transaction.seen[stream.name] = Offset(_ranges([tx for (tx,) in rows]), found[0][0])
    return transaction.seen[stream.name]


def select_changes(session: Session, transaction: Transaction, stream: Stream) -> str:
    """A DuckDB query for the stream's rows: the table's columns, then the three METADATA$ columns."""
    if stream.stale:
        raise CompilationError(
            f"Base table '{stream.table}' dropped or replaced, cannot read from stream '{stream.name}'.",
            2149,
            "02000",
        )
    source = _Source(session, transaction, stream)
    if source.offset.initial_rows:
        return source.initial_rows()
    return source.appended_rows() if stream.append_only else source.net_change()


def _ranges(numbers: list[int]) -> TxRanges:
    ranges: TxRanges = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _within(column: str, ranges: TxRanges) -> str:
    """The condition that a transaction number lies in the ranges; never null."""
    if not ranges:
        return "FALSE"
    tests = " OR ".join(
        f"{column} = {low}" if low == high else f"{column} BETWEEN {low} AND {high}" for low, high in ranges
    )
    # The outer bounds let DuckDB pass over whole row groups.
    bounds = f"{column} BETWEEN {ranges[0][0]} AND {ranges[-1][1]}"
    return f"({column} IS NOT NULL AND {bounds} AND ({tests}))"


class _Source:
    """The pieces of SQL from which the three kinds of stream are put together."""

    def __init__(self, session: Session, transaction: Transaction, stream: Stream) -> None:
        self._duck = session.duck
        self._stream = stream
        self._names = [quote(name) for name, _ in table_columns(session.duck, stream.table)]
        self._columns = ", ".join(self._names)
        self._image = f'"{ROW_COLUMN}", "{TX_COLUMN}", {self._columns}'
        self.offset = offset(session, transaction, stream)
        self._ranges = self.offset.pending
        self._own = transaction.numbers.get(stream.table.database)
        tracked = session.warehouse.streams.tables[stream.table]
        self._table_id = tracked.table_id
        self._images = tracked.before_images(session.warehouse.meta(stream.table.database))

    def appended_rows(self) -> str:
        """Rows inserted by the pending transactions, as they were inserted."""
        inserted = _within(quote(TX_COLUMN), self._ranges)
        if not self._changed(inserted):
            return self._show(f"{self._stream.table.quoted} WHERE {inserted}", "INSERT", False)
        return (
            self._show(f"({self._first_images(inserted)})", "INSERT", False)
            + " UNION ALL "
            + self._show(f"({self._unchanged(inserted)})", "INSERT", False)
        )

    def initial_rows(self) -> str:
        """Rows that were there when the stream was created, as they were then."""
        existing = f"NOT {_within(quote(TX_COLUMN), self._ranges)}{self._not_own()}"
        since = self._since()
        if not self._changed(since):
            return self._show(f"{self._stream.table.quoted} WHERE {existing}", "INSERT", False)
        return self._show(f"({self._first_images(f'({existing}) AND {since}')})", "INSERT", False) + (
            " UNION ALL " + self._show(f"({self._unchanged(existing, since)})", "INSERT", False)
        )

    def net_change(self) -> str:
        """The minimal change between the offset and now: inserts, deletes, and updates as pairs."""
        inserted = _within(quote(TX_COLUMN), self._ranges)
        since = self._since()
        if not self._changed(since):
            return self._show(f"{self._stream.table.quoted} WHERE {inserted}", "INSERT", False)
        now = self._committed()
        existed = f"NOT {inserted} AND {since}{self._not_own()}"
        before = f"({self._first_images(existed)})"
        differs = " OR ".join(f"b.{name} IS DISTINCT FROM n.{name}" for name in self._names)
        updated = f'{before} AS b JOIN ({now}) AS n ON n."{ROW_COLUMN}" = b."{ROW_COLUMN}" WHERE {differs}'
        still = f'SELECT "{ROW_COLUMN}" FROM ({now})'
        gone = f'(SELECT * FROM {before} AS b WHERE b."{ROW_COLUMN}" NOT IN ({still}))'
        return " UNION ALL ".join(
            [
                self._show(f"(SELECT * FROM ({now}) WHERE {inserted})", "INSERT", False),
                self._show(gone, "DELETE", False),
                self._show(f"(SELECT b.* FROM {updated})", "DELETE", True),
                self._show(f"(SELECT n.* FROM {updated})", "INSERT", True),
            ]
        )

    def _show(self, rows: str, action: str, is_update: bool) -> str:
        return (
            f'SELECT {self._columns}, \'{action}\' AS "{ACTION}", {str(is_update).upper()} AS "{IS_UPDATE}", '
            f'substr(sha1(\'{self._table_id}.\' || "{ROW_COLUMN}"), 1, 40) AS "{ROW_ID}" FROM {rows}'
        )

    def _not_own(self) -> str:
        return "" if self._own is None else f' AND "{TX_COLUMN}" IS DISTINCT FROM {self._own}'

    def _since(self) -> str:
        """Before-images taken since the offset, by pending transactions or by this one."""
        own = f" OR change_tx = {self._own}" if self._own is not None else ""
        return f"({_within('change_tx', self._ranges)}{own})"

    def _changed(self, condition: str) -> bool:
        return bool(self._duck.execute(f"SELECT 1 FROM {self._images} WHERE {condition} LIMIT 1").fetchall())

    def _first_images(self, condition: str) -> str:
        return (
            f"SELECT {self._image} FROM {self._images} WHERE {condition} "
            f'QUALIFY row_number() OVER (PARTITION BY "{ROW_COLUMN}" ORDER BY change) = 1'
        )

    def _unchanged(self, rows: str, changes: str = "TRUE") -> str:
        return (
            f"SELECT {self._image} FROM {self._stream.table.quoted} WHERE {rows} "
            f'AND "{ROW_COLUMN}" NOT IN (SELECT "{ROW_COLUMN}" FROM {self._images} WHERE {changes})'
        )

    def _committed(self) -> str:
        """The table without what this transaction has written and not committed."""
        if self._own is None:
            return f"SELECT {self._image} FROM {self._stream.table.quoted}"
        mine = f"change_tx = {self._own}"
        rows = self._unchanged(f"TRUE{self._not_own()}", mine)
        return f"{rows} UNION ALL ({self._first_images(mine + self._not_own())})"
