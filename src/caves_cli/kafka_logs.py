"""What Kafka holds of a topic, as seen from the offsets where the warehouse goes on."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from ingest.errors import BrokerUnreachable
from ingest.topics import client_settings, kafka_log, topic_partitions

# A broker that is there answers within milliseconds; people wait for it.
PATIENCE_SECONDS: Final = 3.0


@dataclass(frozen=True)
class KafkaLog:
    """One partition's log: its first offset, the one after its last, and where the warehouse goes on."""

    low: int
    high: int
    next_offset: int | None
    # The embedded broker says nothing when it is asked for an offset that it does not have.
    answered: bool = True

    @property
    def behind(self) -> int:
        """Messages that are not in the warehouse."""
        return max(0, self.high - (self.low if self.next_offset is None else self.next_offset))

    @property
    def has_next_offset(self) -> bool:
        """Whether loading can go on where it stopped."""
        return self.answered and (self.next_offset is None or self.low <= self.next_offset <= self.high)


def kafka_logs(bootstrap: str, topic: str, offsets: Mapping[int, int]) -> dict[int, KafkaLog]:
    """Every partition of the topic. Raises BrokerUnreachable and TopicMissing.

    Asked for the end of a log, not every broker tells the truth (see ingest.source); what comes along with
    a fetch is right, so a message is fetched where the warehouse goes on, and thrown away.
    """
    partitions = topic_partitions(bootstrap, topic)
    with _consumer(bootstrap) as consumer:
        bounds = {
            partition: consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=PATIENCE_SECONDS
            )
            for partition in partitions
        }
        if None in bounds.values():
            raise BrokerUnreachable(bootstrap, "no answer in time")
        places = [
            TopicPartition(topic, partition, offsets.get(partition, bounds[partition][0]))
            for partition in partitions
        ]
        answered = _fetch(consumer, places)
        ends = {place.partition: _fetched_end(consumer, place) for place in places}
    return {
        partition: KafkaLog(low, max(high, ends[partition]), offsets.get(partition), partition in answered)
        for partition, (low, high) in bounds.items()
    }


@contextmanager
def _consumer(bootstrap: str) -> Iterator[Consumer]:
    settings = client_settings(bootstrap) | {
        "group.id": "caves-status",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "max.partition.fetch.bytes": 1024,
    }
    consumer = Consumer(settings, logger=kafka_log)
    try:
        yield consumer
    except KafkaException as error:
        raise BrokerUnreachable(bootstrap, error.args[0].str()) from error
    finally:
        consumer.close()


def _fetch(consumer: Consumer, places: list[TopicPartition]) -> set[int]:
    """The partitions that answered a fetch, with a message, their end, or a refusal of the offset."""
    consumer.assign(places)
    answered: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(answered) < len(places) and time.monotonic() < deadline:
        for message in consumer.consume(100, timeout=0.1):
            error = message.error()
            if error is None or error.code() in (KafkaError._PARTITION_EOF, KafkaError.OFFSET_OUT_OF_RANGE):
                answered.add(message.partition() or 0)
    return answered


def _fetched_end(consumer: Consumer, place: TopicPartition) -> int:
    bounds = consumer.get_watermark_offsets(place, cached=True)
    return -1 if bounds is None else int(bounds[1])
