"""Table locks, held to the end of a transaction (SEMANTICS 26).

Snowflake lets UPDATE, DELETE and MERGE on one table wait for each other; DuckDB would fail the second
with a conflict. The lock makes it wait. A stream is locked by the transaction that consumes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

from snowcellar.errors import LockTimeout

LOCK_TIMEOUT_SECONDS = 600.0
"""Snowflake's LOCK_TIMEOUT defaults to 43,200 s; a laptop's user wants to hear sooner."""


class LockTable:
    """Who holds which name, for names of tables and streams."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owners: dict[Hashable, object] = {}

    def acquire(self, name: Hashable, owner: object, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> None:
        """Wait until `owner` holds `name`; LockTimeout when that takes too long."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._owners.get(name, owner) is not owner:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise LockTimeout(str(name), timeout_seconds)
                self._changed.wait(remaining)
            self._owners[name] = owner

    def release_all(self, owner: object) -> None:
        """Release whatever `owner` holds, at the end of its transaction."""
        with self._changed:
            for name in [name for name, holder in self._owners.items() if holder is owner]:
                del self._owners[name]
            self._changed.notify_all()
