"""What can be seen of a running ingestor: facts as they happen, for logs, metrics and probes.

An observer changes nothing and must not raise. Its methods are called from the ingestor's own thread, between
two reads, so they have to be quick.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.errors import IngestError


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


class Observer:
    """Sees nothing; a subclass overrides what it wants to see."""

    def batch_committed(self, report: BatchReport) -> None:
        """A batch and its offsets are in the warehouse."""

    def retried(self, error: IngestError) -> None:
        """An attempt failed for a reason that may pass; it will be repeated."""

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        """These are the partitions now read, all of them."""

    def paused(self, partitions: frozenset[int]) -> None:
        """These partitions rest because the buffer is full; none when reading goes on."""

    def buffered(self, payload_bytes: int, messages: int) -> None:
        """What is held now, in hand and on its way into the warehouse."""

    def lag(self, partition: int, messages: int) -> None:
        """How many messages of the partition's log are not in the warehouse, by the latest fetch."""

    def repeated(self, partition: int, messages: int) -> None:
        """Kafka delivered messages again that were held or loaded already; they were dropped."""

    def gap_recorded(self, partition: int, offsets: int | None, reason: str) -> None:
        """These offsets will never be loaded, and the warehouse says so; None: an unknown number."""

    def fenced(self) -> None:
        """Another writer had moved the offsets; the batch was given up and reading goes on from theirs."""
