"""Which clients are still there: the network connections that each session's requests came by.

A client that is killed leaves its session, and perhaps an open transaction with its locks, behind. The
system closes its network connections at once, which is how it is told from one that is only idle.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Address = tuple[str, int]

GRACE_SECONDS = 3.0
"""A client may drop its network connection and make another, as after an error."""
FORGOTTEN_SECONDS = 3600.0
"""A session that nobody is connected for is closed after this long, to free what it holds."""


class Clients:
    """The addresses from which each session was last spoken for."""

    def __init__(self, connected: Callable[[], set[Address]]) -> None:
        """connected: the addresses of the network connections that are open now."""
        self._connected = connected
        self._lock = threading.Lock()
        self._addresses: dict[str, set[Address]] = {}
        self._missed_since: dict[str, float] = {}

    def note(self, token: str, address: Address) -> None:
        """A session was spoken for from an address."""
        with self._lock:
            self._missed_since.pop(token, None)
            known = self._addresses.setdefault(token, set())
            if address not in known:
                known &= self._connected()
                known.add(address)

    def forget(self, token: str) -> None:
        """A session has ended."""
        with self._lock:
            self._addresses.pop(token, None)
            self._missed_since.pop(token, None)

    def may_return(self, token: str, grace_seconds: float = GRACE_SECONDS) -> bool:
        """False when all the connections that spoke for a session have been closed for a while.

        The while begins when this is first asked.
        """
        with self._lock:
            known = self._addresses.get(token)
            if known is None or known & self._connected():
                self._missed_since.pop(token, None)
                return True
            since = self._missed_since.setdefault(token, time.monotonic())
            return time.monotonic() - since < grace_seconds
