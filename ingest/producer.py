"""The shop's till: sends a run of events to Kafka and says truly what it sent.

Key = product_id, so one product's events keep their order; acks=all with idempotence, so a retry inside the
client neither loses, doubles nor reorders one. The partitioner is that of the Java clients: another
producer of the same topic puts a product into the same partition.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from ingest.errors import BrokerUnreachable, DeliveryFailed, KafkaFailed
from ingest.events import EventStream
from ingest.fragments import Message
from ingest.settings import ProducerSettings
from ingest.topics import client_settings, create_topic, kafka_log
from ingest.truth import Truth

log = logging.getLogger(__name__)

# Events made at a time: small enough to follow a stop or a rate, large enough not to matter.
_CHUNK: Final = 1_000
_TICK_SECONDS: Final = 0.05
# What may wait in the client for the broker. Beyond it the producer waits, and memory stays where it is.
_QUEUE_MESSAGES: Final = 100_000
_QUEUE_KBYTES: Final = 64 * 1024
# How long the broker may stay away before an event counts as lost.
DELIVERY_TIMEOUT_SECONDS: Final = 30
_LARGEST_MESSAGE_BYTES: Final = 2 * 1024 * 1024


@dataclass(frozen=True)
class ProduceReport:
    """What was sent and acknowledged, and how long it took."""

    truth: Truth
    seconds: float

    @property
    def events_per_second(self) -> float:
        return self.truth.events_produced / self.seconds if self.seconds else 0.0


def produce(
    settings: ProducerSettings,
    stop: Event | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ProduceReport:
    """Send a run of events, making the topic if it is not there; returns when the broker has all of them.

    `on_progress` is called with the number sent so far. `stop` ends the run early, between two chunks: what
    was sent by then is delivered, and the truth speaks of just that. DeliveryFailed when an event was not
    acknowledged.
    """
    create_topic(settings.bootstrap, settings.topic, settings.partitions)
    begun = time.monotonic()
    till = _Till(settings)
    stream = EventStream(settings)
    sent = 0
    while not (stop is not None and stop.is_set()):
        size = _due(settings, sent, time.monotonic() - begun)
        if size < 0:
            break
        till.send(stream.take(size))
        sent += size
        if on_progress is not None:
            on_progress(sent)
        if settings.rate:
            _wait(stop, _TICK_SECONDS)
    till.close(sent)
    return ProduceReport(stream.truth(), time.monotonic() - begun)


class _Till:
    """The Kafka client with a bounded queue, counting what the broker refused."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._topic = settings.topic
        self._bootstrap = settings.bootstrap
        self._refused = 0
        self._reason = ""
        self._producer = Producer(client_settings_of(settings), logger=kafka_log)

    def send(self, messages: list[Message]) -> None:
        produce_one = self._producer.produce
        for key, value in messages:
            while True:
                try:
                    produce_one(self._topic, value, key, on_delivery=self._on_delivery)
                    break
                except BufferError:
                    # The queue is full: let the client work it off, then try the same event again.
                    self._producer.poll(0.05)
                except KafkaException as error:
                    raise KafkaFailed("sending", error.args[0].str()) from error
        self._producer.poll(0)

    def close(self, sent: int) -> None:
        """Wait for every acknowledgement; DeliveryFailed when some did not come."""
        left = self._producer.flush(DELIVERY_TIMEOUT_SECONDS + 5)
        undelivered = self._refused + left
        if undelivered == 0:
            return
        reason = self._reason or "no answer in time"
        if undelivered == sent:
            raise BrokerUnreachable(self._bootstrap, reason)
        raise DeliveryFailed(undelivered, sent, reason)

    def _on_delivery(self, error: KafkaError | None, _: object) -> None:
        # With delivery.report.only.error this is called for failures only: a call for each success would
        # halve the rate, and flush() says when there is nothing left to wait for.
        if error is not None:
            self._refused += 1
            self._reason = error.str()


def client_settings_of(settings: ProducerSettings) -> dict[str, Any]:
    """What the Kafka client is told for a run; the user's own settings have the last word."""
    ours = {
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 20,
        "batch.size": 512 * 1024,
        "message.max.bytes": _LARGEST_MESSAGE_BYTES,
        "queue.buffering.max.messages": _QUEUE_MESSAGES,
        "queue.buffering.max.kbytes": _QUEUE_KBYTES,
        "delivery.timeout.ms": DELIVERY_TIMEOUT_SECONDS * 1000,
        "delivery.report.only.error": True,
    }
    return client_settings(settings.bootstrap, {**ours, **settings.kafka})


def _due(settings: ProducerSettings, sent: int, elapsed: float) -> int:
    """How many events to send now; below zero when the run is complete."""
    left = settings.events - sent if settings.events else _CHUNK
    if left <= 0:
        return -1
    if not settings.rate:
        return min(_CHUNK, left)
    return max(0, min(int(elapsed * settings.rate) + 1 - sent, left, max(_CHUNK, int(settings.rate))))


def _wait(stop: Event | None, seconds: float) -> None:
    if stop is None:
        time.sleep(seconds)
    else:
        stop.wait(seconds)
