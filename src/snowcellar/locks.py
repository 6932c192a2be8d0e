"""Table locks, held to the end of a transaction (SEMANTICS 26).

Snowflake lets UPDATE, DELETE and MERGE on one table wait for each other; DuckDB would fail the second
with a conflict. The lock makes it wait. A stream is locked by the transaction that reads or consumes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Protocol

from snowcellar.errors import Canceled, Deadlock, LockTimeout

LOCK_TIMEOUT_SECONDS = 600.0
"""Snowflake's LOCK_TIMEOUT defaults to 43,200 s; a laptop's user wants to hear sooner."""
_LOOK_SECONDS = 0.1
"""How often a waiter looks whether it was cancelled, or whether the holder's client has vanished."""


class Holder(Protocol):
    """A transaction, to the locks."""

    def end_if_abandoned(self) -> None:
        """Give everything up if the client that would have ended the transaction is gone."""


class LockTable:
    """Who holds which name, for names of tables and streams."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[Hashable, Holder] = {}
        self._wanted: dict[Holder, Hashable] = {}

    def acquire(
        self,
        name: Hashable,
        owner: Holder,
        timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until `owner` holds `name`: LockTimeout if that takes too long, Deadlock if it never ends."""
        deadline = time.monotonic() + timeout_seconds
        try:
            while (holder := self._try(name, owner)) is not None:
                if time.monotonic() > deadline:
                    raise LockTimeout(str(name), timeout_seconds)
                holder.end_if_abandoned()
                if cancelled():
                    raise Canceled
        finally:
            with self._changed:
                self._wanted.pop(owner, None)

    def _try(self, name: Hashable, owner: Holder) -> Holder | None:
        """Take the lock, or wait a moment for a change and answer who holds it."""
        with self._changed:
            holder = self._holders.setdefault(name, owner)
            if holder is owner:
                return None
            self._wanted[owner] = name
            if self._waits_for(holder, owner):
                raise Deadlock(str(name))
            self._changed.wait(_LOOK_SECONDS)
            return holder

    def _waits_for(self, holder: Holder, owner: Holder) -> bool:
        """Whether `holder` waits, through however many others, for `owner`."""
        while holder in self._wanted:
            next_holder = self._holders.get(self._wanted[holder])
            if next_holder is None:
                return False
            if next_holder is owner:
                return True
            holder = next_holder
        return False

    def release_all(self, owner: Holder) -> None:
        """Release whatever `owner` holds, at the end of its transaction."""
        with self._changed:
            for name in [name for name, holder in self._holders.items() if holder is owner]:
                del self._holders[name]
            self._changed.notify_all()
