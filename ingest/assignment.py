"""The partitions that are ours, and how far each has been sent to the warehouse and stored there."""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from ingest.batch import Batch
from ingest.errors import FencedError
from ingest.loading import BackgroundLoad
from ingest.observer import Observer
from ingest.positions import OffsetReset, PartitionLog, StoredOffset, next_offsets, resets_needed
from ingest.settings import IngestSettings
from ingest.sink import Sink
from ingest.source import KafkaSource

log = logging.getLogger(__name__)

# A partition that changes hands may be reset by both members, and a reset whose answer was lost may hold
# after all: then it is judged again by what is stored now.
_MOST_RESETS: Final = 3


class Assignment:
    """Positions by partition. What the warehouse says is the truth; this is what we know of it."""

    def __init__(self, settings: IngestSettings, loads: BackgroundLoad, observer: Observer) -> None:
        self._settings = settings
        self._loads = loads
        self._observer = observer
        self._identity: str | None = None
        self.stored: dict[int, int] = {}
        # With what is on its way: the next batch starts there.
        self.sent: dict[int, int] = {}
        self.generations: dict[int, int] = {}

    @property
    def partitions(self) -> frozenset[int]:
        return frozenset(self.stored)

    def look_up(self, source: KafkaSource, partitions: Iterable[int]) -> dict[int, int]:
        """Where to read on in these partitions, by the warehouse, the broker's logs and the policy.

        Raises OffsetOutOfRange when the policy is to fail, and what warehouse and broker may raise.
        """
        logs = source.logs(partitions)
        stored, resets = self._loads.ask(lambda sink: self._stored_offsets(sink, logs))
        for gap in (gap for reset in resets for gap in reset.gaps):
            self._observer.gap_recorded(gap.partition, gap.offsets, gap.reason.value)
        offsets = next_offsets(stored)
        self._observer.offsets_read(offsets)
        self.stored.update(offsets)
        self.sent.update(offsets)
        self.generations.update({partition: offset.generation for partition, offset in stored.items()})
        self._identity = next((entry.topic_id for entry in logs.values()), self._identity)
        self._observer.partitions_owned(self.partitions)
        return offsets

    def forget(self, partitions: Iterable[int]) -> None:
        """These partitions are no longer ours."""
        for partition in partitions:
            for known in (self.stored, self.sent, self.generations):
                known.pop(partition, None)
        self._observer.partitions_owned(self.partitions)

    def send(self, batch: Batch) -> None:
        """The batch is on its way."""
        self.sent.update(batch.ends)

    def store(self, batch: Batch) -> None:
        """The batch is in the warehouse."""
        self.stored.update(batch.ends)

    def is_of_another_topic(self, identity: str | None) -> bool:
        """Whether the topic of this name is no longer the one that we read."""
        return None not in (identity, self._identity) and identity != self._identity

    def _stored_offsets(
        self, sink: Sink, logs: Mapping[int, PartitionLog]
    ) -> tuple[dict[int, StoredOffset], list[OffsetReset]]:
        topic = self._settings.topic
        for attempt in range(1, _MOST_RESETS + 1):
            stored = sink.stored_offsets(topic, logs)
            resets = resets_needed(topic, stored, logs, self._settings.on_offset_reset)
            if not resets:
                break
            try:
                sink.reset_offsets(topic, resets)
                return sink.stored_offsets(topic, logs), resets
            except FencedError:
                if attempt == _MOST_RESETS:
                    raise
        return stored, []
