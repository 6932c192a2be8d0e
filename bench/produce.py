"""Events generated, serialised and acknowledged by the embedded broker, beside bare confluent-kafka.

The peer sends ready-made events, with the same settings of the client, to a topic of the same shape: what
ours has to do besides is to make them. After each turn the log must hold every one.
"""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from bench.events import START
from bench.harness import OURS, Comparison, Options, Target, in_turns
from ingest.broker import running_broker
from ingest.events import EventStream
from ingest.fragments import Message
from ingest.producer import client_settings_of, produce
from ingest.settings import ProducerSettings
from ingest.topics import create_topic

EVENTS: Final = 1_000_000
PARTITIONS: Final = 4
BARE: Final = "confluent-kafka, ready-made"
_READY: Final = 50_000


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    with running_broker() as broker:
        ready = EventStream(_settings("", "", _READY)).take(_READY)

        def ours() -> float:
            settings = _settings(broker.bootstrap, f"ours_{time.time_ns()}", events)
            report = produce(settings)
            _check(settings)
            return report.events_per_second

        def bare() -> float:
            settings = _settings(broker.bootstrap, f"bare_{time.time_ns()}", events)
            seconds = _send(settings, ready)
            _check(settings)
            return events / seconds

        yield Comparison(
            f"{events:,} events generated and acknowledged",
            "events/s",
            in_turns({OURS: ours, BARE: bare}, options),
            (Target(BARE, 0.4, at_least=True),),
            {"bytes_an_event": round(sum(len(value or b"") for _, value in ready) / _READY)},
        )


def _settings(bootstrap: str, topic: str, events: int) -> ProducerSettings:
    return ProducerSettings(bootstrap, topic, events, start=START, partitions=PARTITIONS)


def _send(settings: ProducerSettings, ready: list[Message]) -> float:
    create_topic(settings.bootstrap, settings.topic, settings.partitions)
    begun = time.perf_counter()
    producer = Producer(client_settings_of(settings))
    for number in range(settings.events):
        key, value = ready[number % len(ready)]
        while True:
            try:
                producer.produce(settings.topic, value, key)
                break
            except BufferError:
                producer.poll(0.05)
    producer.flush()
    return time.perf_counter() - begun


def _check(settings: ProducerSettings) -> None:
    """Read the whole log. The end that the embedded broker tells is the beginning of its last batch."""
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap, "group.id": "bench", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(settings.topic, partition, 0) for partition in range(PARTITIONS)])
    found = 0
    ended: set[int | None] = set()
    try:
        while len(ended) < PARTITIONS:
            for message in consumer.consume(10_000, 1.0):
                error = message.error()
                if error is None:
                    found += 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise SystemExit(f"{settings.topic} cannot be read: {error.str()}")
    finally:
        consumer.close()
    if found != settings.events:
        raise SystemExit(f"{settings.topic} has {found:,} messages instead of {settings.events:,}")
