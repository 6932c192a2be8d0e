"""Two questions of whoever runs the ingestor: is it stuck (restart it), and does it load (count on it)?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.errors import IngestError, WarehouseBusy, WarehouseUnreachable
from ingest.observer import BatchReport, Observer

# The loop turns ten times a second. What may hold it is asking the warehouse where to read on, after the load
# under way: each may sit out a silent socket, the network's repetitions and a login, 90 s in all.
STUCK_SECONDS: Final = 180.0

_WAREHOUSE_AWAY: Final = (WarehouseUnreachable, WarehouseBusy)


@dataclass(frozen=True)
class Verdict:
    """An answer and the facts that it comes from."""

    holds: bool
    facts: Mapping[str, object]


class Health(Observer):
    """Remembers the last sign of life and what became of the last attempt at the warehouse."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turned = clock()
        self._owned: frozenset[int] = frozenset()
        self._offsets_of: frozenset[int] = frozenset()
        self._warehouse_answered: bool | None = None

    def turned(self) -> None:
        self._turned = self._clock()

    def offsets_read(self, offsets: Mapping[int, int]) -> None:
        self._offsets_of |= offsets.keys()
        self._warehouse_answered = True

    def batch_committed(self, _: BatchReport) -> None:
        self._warehouse_answered = True

    def retried(self, error: IngestError) -> None:
        # A loop that waits for its partitions' offsets does not turn, and is as alive as its last attempt.
        self._turned = self._clock()
        if isinstance(error, _WAREHOUSE_AWAY):
            self._warehouse_answered = False

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        self._owned = partitions
        self._offsets_of &= partitions

    def alive(self) -> Verdict:
        """Whether the loop came round lately. A warehouse or a broker that is away does not make it stuck."""
        idle = self._clock() - self._turned
        return Verdict(
            idle <= STUCK_SECONDS,
            {"seconds_since_last_turn": round(idle, 1), "allowed_seconds": STUCK_SECONDS},
        )

    def ready(self) -> Verdict:
        """Whether it loads: it turns, owns partitions, knows where to read on, and the warehouse answered."""
        owned = self._owned
        facts = {
            "loop_turns": self.alive().holds,
            "partitions_owned": len(owned),
            "stored_offsets_read": bool(owned) and owned <= self._offsets_of,
            "warehouse_answered": self._warehouse_answered is True,
        }
        return Verdict(all(facts.values()), facts)
