"""What is in the topic's log against what is in RAW, by Kafka coordinates.

The log is read by a plain consumer of its own, which shares no code with the ingestor.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from caves_snowpark.names import RAW_EVENTS

# Partition and offset of a message.
Coordinate = tuple[int, int]
# Runs a statement and gives its rows.
Ask = Callable[[str], list[tuple[Any, ...]]]

_READ_SECONDS: Final = 0.5
_SILENT_READS: Final = 120


@dataclass(frozen=True)
class Comparison:
    """How a topic and RAW differ. Nothing lost and nothing doubled: both empty."""

    lost: list[Coordinate]
    doubled: list[Coordinate]
    unknown: list[Coordinate]
    messages: int

    @property
    def equal(self) -> bool:
        return not (self.lost or self.doubled or self.unknown)

    def __str__(self) -> str:
        if self.equal:
            return f"{self.messages:,} messages, each once"
        found = {"lost": self.lost, "doubled": self.doubled, "not in the log": self.unknown}
        return ", ".join(f"{len(places)} {what}: {places[:3]}" for what, places in found.items() if places)


def compare(log: Counter[Coordinate], raw: Counter[Coordinate]) -> Comparison:
    """What is missing from RAW, what it has more than once, and what it has and the log has not."""
    return Comparison(
        lost=sorted(log.keys() - raw.keys()),
        doubled=sorted(place for place, times in raw.items() if times > 1),
        unknown=sorted(raw.keys() - log.keys()),
        messages=len(log),
    )


def coordinates_in_raw(ask: Ask, topic: str) -> Counter[Coordinate]:
    """Every coordinate of the topic in RAW, and how often it is there."""
    place = "EVENT_METADATA:partition::NUMBER(38, 0), EVENT_METADATA:offset::NUMBER(38, 0)"
    where = f"EVENT_METADATA:topic::VARCHAR = '{topic}'"
    return Counter(
        (int(row[0]), int(row[1])) for row in ask(f"SELECT {place} FROM {RAW_EVENTS} WHERE {where}")
    )


def coordinates_in_log(bootstrap: str, topic: str) -> Counter[Coordinate]:
    """Every committed message from the beginning of the log to where it ends now."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "coordinates-of-the-tests",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return _read_to_the_end(consumer, set(partitions))
    finally:
        consumer.close()


def _read_to_the_end(consumer: Consumer, unfinished: set[int]) -> Counter[Coordinate]:
    found: Counter[Coordinate] = Counter()
    silent = 0
    while unfinished:
        messages = consumer.consume(5_000, _READ_SECONDS)
        silent = 0 if messages else silent + 1
        assert silent < _SILENT_READS, f"nothing more comes of partitions {sorted(unfinished)}"
        for message in messages:
            error, partition = message.error(), message.partition() or 0
            if error is None:
                found[partition, message.offset() or 0] += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                unfinished.discard(partition)
    return found
