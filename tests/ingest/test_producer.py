"""Sending: everything is acknowledged or it is said, and what is said is what the topic holds."""

import logging
import time
from collections import Counter
from threading import Event

import pytest
from confluent_kafka import Consumer, TopicPartition

from ingest import producer
from ingest.broker import EmbeddedBroker, running_broker
from ingest.errors import BrokerUnreachable, DeliveryFailed
from ingest.producer import produce
from ingest.topics import kafka_log
from tests.ingest.doubles import a_run


def _held(
    broker: EmbeddedBroker, topic: str, partitions: int = 4
) -> list[tuple[int, bytes | None, bytes | None]]:
    """All messages of a topic, as (partition, key, value)."""
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": "look", "enable.partition.eof": True},
        logger=kafka_log,
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    found, ended = [], 0
    while ended < partitions:
        for message in consumer.consume(1_000, 0.2):
            if message.error() is not None:
                ended += 1
            else:
                found.append((message.partition() or 0, message.key(), message.value()))
    consumer.close()
    return found


def test_topic_holds_every_event_once_and_each_product_in_one_partition(
    broker: EmbeddedBroker, topic: str
) -> None:
    report = produce(a_run(broker.bootstrap, topic=topic, events=3_000, bad_share=0.05))
    held = _held(broker, topic)
    assert len(held) == 3_000 == report.truth.events_produced
    homes: dict[bytes | None, set[int]] = {}
    for partition, key, _ in held:
        homes.setdefault(key, set()).add(partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert sum(value is None for *_, value in held) == report.truth.bad["tombstone"]
    assert max(len(value or b"") for *_, value in held) == 1_000_000


def test_producer_makes_the_topic_when_it_is_not_there(broker: EmbeddedBroker) -> None:
    produce(a_run(broker.bootstrap, topic="made_by_producer", events=50, partitions=2))
    assert len(_held(broker, "made_by_producer", partitions=2)) == 50


def test_repeated_events_are_the_same_bytes_under_the_same_key(broker: EmbeddedBroker, topic: str) -> None:
    report = produce(a_run(broker.bootstrap, topic=topic, events=1_000, bad_share=0, duplicate_share=0.2))
    copies = Counter(_held(broker, topic))
    assert sum(copies.values()) - len(copies) == report.truth.duplicates == 200


def test_full_queue_makes_the_producer_wait_and_loses_nothing(
    broker: EmbeddedBroker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PITFALLS 30, on this side: the client's queue has a bound.
    monkeypatch.setattr(producer, "_QUEUE_MESSAGES", 100)
    produce(a_run(broker.bootstrap, topic=topic, events=2_000))
    assert len(_held(broker, topic)) == 2_000


def test_stop_ends_a_run_early_and_the_truth_speaks_of_what_was_sent(
    broker: EmbeddedBroker, topic: str
) -> None:
    stop = Event()
    report = produce(
        a_run(broker.bootstrap, topic=topic, events=1_000_000),
        stop,
        lambda sent: stop.set() if sent >= 3_000 else None,
    )
    assert report.truth.events_produced == len(_held(broker, topic)) == 3_000


def test_rate_is_kept(broker: EmbeddedBroker, topic: str) -> None:
    begun = time.monotonic()
    produce(a_run(broker.bootstrap, topic=topic, events=300, rate=200.0))
    assert 1.3 < time.monotonic() - begun < 6


def test_settings_ask_for_every_acknowledgement_and_for_idempotence() -> None:
    # PITFALLS 31.
    settings = producer.client_settings_of(a_run("x:1"))
    assert settings["acks"] == "all"
    assert settings["enable.idempotence"] is True


def test_unreachable_broker_is_said_at_once_and_nothing_is_claimed() -> None:
    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1"):
        produce(a_run("127.0.0.1:1", events=10))


def test_broker_that_dies_on_the_way_makes_the_run_fail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # PITFALLS 26: a producer that is never flushed would end here as if all were well.
    caplog.set_level(logging.CRITICAL, logger=kafka_log.name)
    monkeypatch.setattr(producer, "DELIVERY_TIMEOUT_SECONDS", 2)
    with running_broker() as doomed:
        from ingest.broker import stop_broker

        def kill_half_way(sent: int) -> None:
            if sent == 2_000:
                stop_broker(doomed.pid)

        with pytest.raises((DeliveryFailed, BrokerUnreachable), match=r"acknowledged|No Kafka broker"):
            produce(a_run(doomed.bootstrap, events=4_000), on_progress=kill_half_way)
