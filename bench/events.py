"""Events whose truth is known, as the batches that the ingestor would make of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingest.batch import Batch, MessagesInHand
from ingest.events import EventStream
from ingest.fragments import Message
from ingest.settings import ProducerSettings
from ingest.truth import Truth

START: Final = datetime(2025, 6, 2, 12, tzinfo=UTC)
TOPIC: Final = "bench"
PARTITIONS: Final = 4
_BATCH_ROWS: Final = 50_000


@dataclass(frozen=True)
class Arrived:
    """A message with the Kafka coordinates that it came with; asked as `confluent_kafka.Message` is."""

    message: Message
    number: int

    def partition(self) -> int:
        return self.number % PARTITIONS

    def offset(self) -> int:
        return self.number // PARTITIONS

    def key(self) -> bytes | None:
        return self.message[0]

    def value(self) -> bytes | None:
        return self.message[1]

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, int(START.timestamp() * 1000) + self.number)


class Arrivals:
    """The events of one shop, one batch after the other, spread over the partitions of one topic."""

    def __init__(self, events: int) -> None:
        self._stream = EventStream(ProducerSettings("", TOPIC, events, start=START))
        self._taken = 0

    def take(self, count: int) -> Iterator[Batch]:
        """The next `count` events, in batches."""
        end = self._taken + count
        while self._taken < end:
            batch = MessagesInHand(TOPIC)
            starts = {part: -(-(self._taken - part) // PARTITIONS) for part in range(PARTITIONS)}
            messages = self._stream.take(min(_BATCH_ROWS, end - self._taken))
            batch.add((Arrived(each, self._taken + place) for place, each in enumerate(messages)), starts)
            self._taken += len(messages)
            yield batch.batch(starts)

    def truth(self) -> Truth:
        """Of all that were taken so far."""
        return self._stream.truth()
