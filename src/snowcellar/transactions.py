"""Transactions as Snowflake has them, on one DuckDB connection (SEMANTICS 24-26).

A statement outside BEGIN ... COMMIT is a transaction of its own; DDL commits what is open; an extra BEGIN
is ignored; only the scope (session or procedure) that began a transaction may end it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from snowcellar.errors import TransactionBroken, WarehouseError
from snowcellar.locks import LOCK_TIMEOUT_SECONDS, LockTable
from snowcellar.names import QualifiedName

log = logging.getLogger(__name__)

_KEPT_ALL_THE_SAME = "COMMIT succeeded and is durable"

TxRanges = list[tuple[int, int]]
"""Transaction numbers as closed ranges, ascending."""


@dataclass(frozen=True)
class Offset:
    """Where a stream stands: what it has yet to show."""

    pending: TxRanges
    initial_rows: bool
    """Whether it has yet to show the rows from before its creation, and those alone."""


@dataclass(eq=False)
class Transaction:
    """What a transaction has to remember until it ends."""

    scope: object
    explicit: bool
    end_if_abandoned: Callable[[], None]
    """Rolls it back if its client has vanished: called by those that wait for its locks."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    numbers: dict[str, int] = field(default_factory=dict)
    """The number under which it writes, by database."""
    later: dict[str, set[int]] = field(default_factory=dict)
    """The numbers of those that committed after it began, by database: its streams do not show them."""
    written: set[QualifiedName] = field(default_factory=set)
    announced: set[QualifiedName] = field(default_factory=set)
    """The tables of `written` that are tracked, whose streams will be told of this transaction."""
    seen: dict[QualifiedName, Offset] = field(default_factory=dict)
    """Where each stream stood at the first read: every later read shows the same (SEMANTICS 2)."""
    consumed: set[QualifiedName] = field(default_factory=set)
    holds_rows: bool = False
    """Whether a statement under way has a temporary table that would go with DuckDB's transaction."""
    broken_by: str | None = None
    """The failure that made DuckDB give the transaction up."""
    after_commit: list[Callable[[], None]] = field(default_factory=list)


TellStreams = Callable[[duckdb.DuckDBPyConnection, Transaction], contextlib.AbstractContextManager[None]]


def _never() -> None:
    """For a connection whose client cannot vanish."""


class Connection:
    """A DuckDB connection and the transaction open on it."""

    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        locks: LockTable,
        tell_streams: TellStreams,
        end_if_abandoned: Callable[[], None] = _never,
    ) -> None:
        """tell_streams: holds off the making of streams and tells those that a transaction wrote for.

        end_if_abandoned: rolls the transaction back if its client has vanished.
        """
        self.duck = duck
        self.interrupted = threading.Event()
        """Set to stop a wait for a lock, which DuckDB's own interrupt does not reach."""
        self._end_if_abandoned = end_if_abandoned
        self.transaction: Transaction | None = None
        self._locks = locks
        self._tell_streams = tell_streams

    def begin(self, scope: object, *, explicit: bool) -> Transaction:
        """Open a transaction; there must be none."""
        self.duck.execute("BEGIN TRANSACTION")
        self.transaction = Transaction(scope, explicit, self._end_if_abandoned)
        return self.transaction

    def lock(self, name: QualifiedName, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> None:
        """Hold the lock on a table or stream until the transaction ends."""
        if self.transaction is not None:
            self._locks.acquire(name, self.transaction, timeout_seconds, self.interrupted.is_set)

    def look_again(self) -> bool:
        """See what has been committed until now, if DuckDB's transaction can be begun anew; whether it was.

        Snowflake's statements each see what others have committed (READ COMMITTED), DuckDB's those of one
        snapshot, which already a translation fixes by reading the catalogue. As long as nothing has been
        written a new transaction stands for the old one. A stream's rows, once read, are to stay the same.

        What a translation gave to DuckDB, a function of Python, is gone then: translate again.
        """
        transaction = self.transaction
        if transaction is None or not transaction.explicit or transaction.broken_by is not None:
            return False
        if transaction.written or transaction.seen or transaction.holds_rows:
            return False
        self.duck.execute("ROLLBACK")
        self.duck.execute("BEGIN TRANSACTION")
        return True

    def commit(self, scope: object) -> None:
        """End the transaction, if there is one, and keep what it wrote."""
        self._end(scope, "COMMIT")

    def rollback(self, scope: object) -> None:
        """End the transaction, if there is one, and undo what it wrote."""
        self._end(scope, "ROLLBACK")

    def _end(self, scope: object, command: str) -> None:
        transaction = self.transaction
        if transaction is None:
            return
        if transaction.scope is not scope:
            raise WarehouseError(
                "Modifying a transaction that has started at a different scope is not allowed.",
                90232,
                "25001",
            )
        broken_by = transaction.broken_by if command == "COMMIT" else None
        if broken_by is not None:
            command = "ROLLBACK"
        try:
            if command == "COMMIT":
                self._keep(transaction)
            else:
                self.duck.execute(command)
        except (duckdb.Error, WarehouseError):
            # A COMMIT that fails has rolled back already, unless DuckDB still waits to be told.
            with contextlib.suppress(duckdb.Error):
                self.duck.execute("ROLLBACK")
            raise
        finally:
            self.transaction = None
            self._locks.release_all(transaction)
        if broken_by is not None:
            raise TransactionBroken(broken_by)

    def _keep(self, transaction: Transaction) -> None:
        """Commit, and let what is kept in memory follow before anyone gets the transaction's locks."""
        if transaction.written:
            with self._tell_streams(self.duck, transaction):
                self._commit()
        else:
            self._commit()
        for action in transaction.after_commit:
            action()

    def _commit(self) -> None:
        # DuckDB answers the COMMIT of a transaction that it has given up as if it had kept it; any other
        # statement fails.
        self.duck.execute("SELECT 1")
        try:
            self.duck.execute("COMMIT")
        except duckdb.IOException as error:
            # Kept, and only the checkpoint after it had no room: to answer that it failed would be untrue.
            if _KEPT_ALL_THE_SAME not in str(error):
                raise
            log.error("%s", error)

    def note_failure(self, message: str) -> None:
        """Find out whether a failed statement has ended DuckDB's transaction.

        Deviation: in Snowflake a failed statement leaves the transaction open (SEMANTICS 24). DuckDB gives
        it up, so what follows is refused until ROLLBACK, and COMMIT fails: it never pretends to have kept it.
        """
        if self.transaction is None or self.transaction.broken_by is not None:
            return
        try:
            self.duck.execute("SELECT 1").fetchall()
        except duckdb.TransactionException:
            self.transaction.broken_by = message

    def require_usable(self) -> None:
        """Refuse a statement in a transaction that DuckDB has given up."""
        if self.transaction is not None and self.transaction.broken_by is not None:
            raise TransactionBroken(self.transaction.broken_by)

    @contextlib.contextmanager
    def statement(self, scope: object) -> Iterator[Transaction]:
        """The open transaction or, without one, a transaction for the statement alone."""
        self.require_usable()
        if self.transaction is not None:
            yield self.transaction
            return
        transaction = self.begin(scope, explicit=False)
        try:
            yield transaction
        except BaseException:
            self.rollback(scope)
            raise
        self.commit(scope)

    def abandon(self) -> None:
        """Roll back whatever is open, whoever began it: the session is going away."""
        if self.transaction is not None:
            with contextlib.suppress(duckdb.Error):
                self.rollback(self.transaction.scope)
