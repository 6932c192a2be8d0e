"""What can be seen of a running ingestor: facts as they happen, for logs, metrics and probes.

An observer changes nothing and must not raise. Its methods are called from the ingestor's own thread, between
two reads, so they have to be quick.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.errors import IngestError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchReport:
    """One batch that is in the warehouse: reported after the commit, never before."""

    rows: int
    payload_bytes: int
    # The commit alone: from handing the batch over to the warehouse until its answer, retries included.
    seconds: float
    # From the batch's first message until the answer.
    batch_seconds: float
    next_offsets: Mapping[int, int]
    total_rows: int
    # Where each partition of the batch began; the batch goes from here up to, not with, `next_offsets`.
    first_offsets: Mapping[int, int] = field(default_factory=dict)


class Observer:
    """Sees nothing; a subclass overrides what it wants to see."""

    def turned(self) -> None:
        """The loop came round once more, with or without messages: it is not stuck."""

    def offsets_read(self, offsets: Mapping[int, int]) -> None:
        """The warehouse answered where these partitions are read on from."""

    def batch_committed(self, report: BatchReport) -> None:
        """A batch and its offsets are in the warehouse."""

    def retried(self, error: IngestError) -> None:
        """An attempt failed for a reason that may pass; it will be repeated."""

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        """These are the partitions now read, all of them."""

    def paused(self, partitions: frozenset[int]) -> None:
        """These partitions rest because the buffer is full; none when reading goes on."""

    def buffered(self, held_bytes: int, messages: int) -> None:
        """What is held now, in hand and on its way into the warehouse."""

    def lag(self, partition: int, messages: int) -> None:
        """How many messages of the partition's log are not in the warehouse, by the latest fetch."""

    def repeated(self, partition: int, messages: int) -> None:
        """Kafka delivered messages again that were held or loaded already; they were dropped."""

    def gap_recorded(self, partition: int, offsets: int | None, reason: str) -> None:
        """These offsets will never be loaded, and the warehouse says so; None: an unknown number."""

    def fenced(self, error: IngestError) -> None:
        """Another writer had moved the offsets; the batch was given up and reading goes on from theirs."""


class Observers(Observer):
    """Several observers as one. What one fails at is logged, and hurts neither the others nor the loop."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def turned(self) -> None:
        self._tell(lambda observer: observer.turned())

    def offsets_read(self, offsets: Mapping[int, int]) -> None:
        self._tell(lambda observer: observer.offsets_read(offsets))

    def batch_committed(self, report: BatchReport) -> None:
        self._tell(lambda observer: observer.batch_committed(report))

    def retried(self, error: IngestError) -> None:
        self._tell(lambda observer: observer.retried(error))

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        self._tell(lambda observer: observer.partitions_owned(partitions))

    def paused(self, partitions: frozenset[int]) -> None:
        self._tell(lambda observer: observer.paused(partitions))

    def buffered(self, held_bytes: int, messages: int) -> None:
        self._tell(lambda observer: observer.buffered(held_bytes, messages))

    def lag(self, partition: int, messages: int) -> None:
        self._tell(lambda observer: observer.lag(partition, messages))

    def repeated(self, partition: int, messages: int) -> None:
        self._tell(lambda observer: observer.repeated(partition, messages))

    def gap_recorded(self, partition: int, offsets: int | None, reason: str) -> None:
        self._tell(lambda observer: observer.gap_recorded(partition, offsets, reason))

    def fenced(self, error: IngestError) -> None:
        self._tell(lambda observer: observer.fenced(error))

    def _tell(self, fact: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                fact(observer)
            except Exception as error:
                log.warning("%s failed: %s: %s", type(observer).__name__, type(error).__name__, error)
