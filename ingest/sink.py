"""Where batches go. All that the ingestor knows: the warehouse is one such place, a test's list another."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ingest.batch import Batch
from ingest.positions import OffsetReset, PartitionLog, StoredOffset


class Sink(Protocol):
    """A place that keeps rows and the next offset of each partition together, or not at all.

    Not for two threads at once.
    """

    def stored_offsets(self, topic: str, logs: Mapping[int, PartitionLog]) -> dict[int, StoredOffset]:
        """The stored offset of each partition asked for; one never seen starts where its log begins."""
        ...

    def reset_offsets(self, topic: str, resets: Sequence[OffsetReset]) -> None:
        """Let partitions go on elsewhere and record their gaps, all or nothing.

        FencedError when a stored offset is no longer the one that the reset starts from.
        """
        ...

    def load(self, batch: Batch) -> None:
        """Keep the batch exactly once, also when the same batch is given again after a transient error.

        FencedError when the stored offsets are not those that the batch starts from.
        """
        ...

    def close(self) -> None: ...
