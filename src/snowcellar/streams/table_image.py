"""A tracked table as it was at a stream's offset, as it is, and what was inserted in between.

Every image is a DuckDB query for the two hidden columns and the table's own.
"""

from __future__ import annotations

from collections.abc import Iterable

from snowcellar.names import QualifiedName, quote
from snowcellar.session import Session
from snowcellar.streams.registry import ROW_COLUMN, TX_COLUMN, table_columns
from snowcellar.transactions import Offset, Transaction, TxRanges


def ranges_of(numbers: Iterable[int]) -> TxRanges:
    """Numbers as closed ranges, ascending."""
    ranges: TxRanges = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def within(column: str, ranges: TxRanges) -> str:
    """The condition that a transaction number lies in the ranges; never null."""
    if not ranges:
        return "FALSE"
    tests = " OR ".join(
        f"{column} = {low}" if low == high else f"{column} BETWEEN {low} AND {high}" for low, high in ranges
    )
    # The outer bounds let DuckDB pass over whole row groups.
    bounds = f"{column} BETWEEN {ranges[0][0]} AND {ranges[-1][1]}"
    return f"({column} IS NOT NULL AND {bounds} AND ({tests}))"


class TableImage:
    """The pieces of SQL from which the images of one table are put together."""

    def __init__(
        self, session: Session, transaction: Transaction, table: QualifiedName, offset: Offset
    ) -> None:
        tracked = session.warehouse.streams.tables[table]
        self.table = table
        self.table_id = tracked.table_id
        self.names = [quote(name) for name, _ in table_columns(session.duck, table)]
        self._duck = session.duck
        self._image = ", ".join([quote(ROW_COLUMN), quote(TX_COLUMN), *self.names])
        self._images = tracked.before_images(session.warehouse.meta(table.database))
        hidden = set(transaction.later.get(table.database, ()))
        if table.database in transaction.numbers:
            hidden.add(transaction.numbers[table.database])
        self._hidden = ranges_of(hidden)
        """What this transaction wrote, and what others committed since it began."""
        self.inserted = within(quote(TX_COLUMN), offset.pending)
        """The condition that a row was inserted since the offset."""
        self.since = f"({within('change_tx', offset.pending)} OR {within('change_tx', self._hidden)})"
        """The condition that a before-image was taken since the offset, or of what is hidden."""
        self.existed = f"NOT {self.inserted} AND NOT {within(quote(TX_COLUMN), self._hidden)}"
        """The condition that a row was there at the offset."""

    def now(self) -> str:
        """The table without what is hidden."""
        if not self._hidden:
            return f"SELECT {self._image} FROM {self.table.quoted}"
        kept, changed = f"NOT {within(quote(TX_COLUMN), self._hidden)}", within("change_tx", self._hidden)
        return f"{self._unchanged(kept, changed)} UNION ALL ({self.first_images(f'{changed} AND {kept}')})"

    def then(self) -> str:
        """The table as it was at the offset."""
        return self._as_first_written(self.existed, self.since)

    def added(self) -> str:
        """Rows inserted since the offset, as they were inserted."""
        return self._as_first_written(self.inserted, "TRUE")

    def is_changed(self, condition: str) -> bool:
        """Whether there is a before-image of which a condition holds."""
        return bool(self._duck.execute(f"SELECT 1 FROM {self._images} WHERE {condition} LIMIT 1").fetchall())

    def first_images(self, condition: str) -> str:
        """Rows that were changed since, as they were before."""
        return (
            f"SELECT {self._image} FROM {self._images} WHERE {condition} "
            f'QUALIFY row_number() OVER (PARTITION BY "{ROW_COLUMN}" ORDER BY change) = 1'
        )

    def _as_first_written(self, rows: str, changes: str) -> str:
        if not self.is_changed(f"{rows} AND {changes}" if changes == "TRUE" else changes):
            return f"SELECT {self._image} FROM {self.table.quoted} WHERE {rows}"
        return f"{self._unchanged(rows, changes)} UNION ALL ({self.first_images(f'{rows} AND {changes}')})"

    def _unchanged(self, rows: str, changes: str) -> str:
        return (
            f"SELECT {self._image} FROM {self.table.quoted} WHERE {rows} "
            f'AND "{ROW_COLUMN}" NOT IN (SELECT "{ROW_COLUMN}" FROM {self._images} WHERE {changes})'
        )
