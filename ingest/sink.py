"""Where batches go. All that the ingestor knows: the warehouse is one such place, a test's list another."""

from collections.abc import Mapping
from typing import Protocol

from ingest.batch import Batch


class Sink(Protocol):
    """A place that keeps rows and the next offset of each partition together, or not at all."""

    def stored_offsets(self, topic: str, beginnings: Mapping[int, int]) -> dict[int, int]:
        """The next offset of each partition asked for; a partition never seen starts at its beginning."""
        ...

    def load(self, batch: Batch) -> None:
        """Keep the batch exactly once, also when the same batch is given again after a transient error.

        FencedError when the stored offsets are not those that the batch starts from.
        """
        ...

    def close(self) -> None: ...
