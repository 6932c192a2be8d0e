"""The loop against the real embedded broker, with a list for a warehouse."""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from ingest.batch import Batch, MessagesInHand
from ingest.broker import EmbeddedBroker
from ingest.errors import (
    BrokerUnreachable,
    FencedError,
    OffsetOutOfRange,
    TopicMissing,
    WarehouseRefused,
    WarehouseUnreachable,
)
from ingest.ingestor import Ingestor, run
from ingest.observer import BatchReport, Observer
from ingest.positions import PartitionLog, StoredOffset
from ingest.producer import produce
from ingest.settings import IngestSettings
from ingest.source import KafkaSource
from ingest.topics import kafka_log
from ingest.truth import Truth
from tests.ingest.doubles import ListSink, a_run

InBackground = Callable[[Callable[[], object], Event], Thread]


def _settings(broker: EmbeddedBroker, topic: str, **changes: Any) -> IngestSettings:
    """Of the demo's kind: all partitions at once, until nothing is left."""
    defaults = {"assign": True, "until_caught_up": True, "retry_seconds": 0.05, "retry_max_seconds": 0.1}
    return IngestSettings(broker.bootstrap, "none", topic=topic, **{**defaults, **changes})


def _produced(broker: EmbeddedBroker, topic: str, events: int = 1_000, **changes: Any) -> Truth:
    return produce(a_run(broker.bootstrap, topic=topic, events=events, **changes)).truth


def _eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)


def _each_once(sink: ListSink, events: int) -> None:
    assert len(sink.coordinates) == events == len(set(sink.coordinates))
    assert sum(sink.offsets.values()) == events


@pytest.mark.parametrize("assign", [True, False])
def test_every_message_is_loaded_once_malformed_ones_included(
    broker: EmbeddedBroker, topic: str, assign: bool
) -> None:
    # PITFALLS 23 and 24: none of these may stop or stall the loop.
    truth = _produced(broker, topic, bad_share=0.2)
    sink = ListSink()
    report = run(_settings(broker, topic, assign=assign), sink=sink)
    _each_once(sink, 1_000)
    assert report.rows == 1_000 and report.next_offsets == sink.offsets
    assert sum(row["payload"] is None for row in sink.rows) == truth.bad["tombstone"]
    assert sum(row["payload_encoding"] == "base64" for row in sink.rows) == truth.bad["not_utf8"]


def test_restart_reads_on_from_the_stored_offsets_and_not_from_kafka(
    broker: EmbeddedBroker, topic: str
) -> None:
    # PITFALLS 22.
    sink = ListSink()
    _produced(broker, topic)
    run(_settings(broker, topic), sink=sink)
    _produced(broker, topic, events=500, seed=7)
    run(_settings(broker, topic), sink=sink)
    _each_once(sink, 1_500)


def test_rows_committed_to_kafka_but_not_stored_are_read_again(broker: EmbeddedBroker, topic: str) -> None:
    _produced(broker, topic)
    run(_settings(broker, topic), sink=ListSink())
    fresh = ListSink()
    run(_settings(broker, topic), sink=fresh)
    _each_once(fresh, 1_000)


def test_batches_keep_their_bounds_of_rows_and_bytes(broker: EmbeddedBroker, topic: str) -> None:
    _produced(broker, topic, bad_share=0)
    by_rows, by_bytes = ListSink(), ListSink()
    run(_settings(broker, topic, batch_rows=300), sink=by_rows)
    assert [batch.rows for batch in by_rows.batches] == [300, 300, 300, 100]
    run(_settings(broker, topic, batch_rows=100, buffer_bytes=80_000), sink=by_bytes)
    assert max(batch.payload_bytes for batch in by_bytes.batches) < 20_000 + 100 * 700
    _each_once(by_bytes, 1_000)


def test_quiet_topic_does_not_hold_a_message_back_longer_than_the_bound(
    broker: EmbeddedBroker, topic: str, in_background: InBackground
) -> None:
    sink, stop = ListSink(), Event()
    settings = _settings(broker, topic, until_caught_up=False, batch_seconds=0.3)
    in_background(lambda: run(settings, stop, sink=sink), stop)
    _produced(broker, topic, events=10)
    _eventually(lambda: len(sink.rows) == 10, seconds=5)


def test_stop_loads_the_batch_in_hand_before_leaving(
    broker: EmbeddedBroker, topic: str, in_background: InBackground, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PITFALLS 27: SIGTERM sets this event.
    sink, stop = ListSink(), Event()
    held: list[int] = []
    add = MessagesInHand.add

    def watched(hand: Any, *arguments: Any) -> dict[int, int]:
        repeated = add(hand, *arguments)
        held.append(len(hand))
        return repeated

    monkeypatch.setattr(MessagesInHand, "add", watched)
    _produced(broker, topic, events=100)
    settings = _settings(broker, topic, until_caught_up=False, batch_seconds=600.0)
    thread = in_background(lambda: run(settings, stop, sink=sink), stop)
    _eventually(lambda: bool(held) and held[-1] == 100)
    assert sink.rows == []
    stop.set()
    thread.join(10)
    _each_once(sink, 100)


def test_progress_is_reported_after_the_commit_and_never_before(broker: EmbeddedBroker, topic: str) -> None:
    # PITFALLS 28.
    sink = ListSink(failures=[WarehouseUnreachable("w", "away")])
    reports: list[tuple[BatchReport, int]] = []

    class Watcher(Observer):
        def batch_committed(self, report: BatchReport) -> None:
            reports.append((report, len(sink.rows)))

    _produced(broker, topic)
    run(
        _settings(broker, topic, batch_rows=400),
        observer=Watcher(),
        sink=sink,
    )
    assert (
        [report.total_rows for report, _ in reports] == [stored for _, stored in reports] == [400, 800, 1_000]
    )


def test_kafka_is_told_the_progress_for_lag_monitors(broker: EmbeddedBroker, topic: str) -> None:
    _produced(broker, topic)
    sink = ListSink()
    run(_settings(broker, topic, group=f"group-{topic}"), sink=sink)
    monitor = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": f"group-{topic}"},
        logger=kafka_log,
    )
    places = monitor.committed([TopicPartition(topic, partition) for partition in range(4)], timeout=5)
    monitor.close()
    assert {place.partition: place.offset for place in places} == sink.offsets


def test_warehouse_that_is_away_for_a_while_costs_time_and_nothing_else(
    broker: EmbeddedBroker, topic: str
) -> None:
    _produced(broker, topic)
    sink = ListSink(failures=[WarehouseUnreachable("w", "away")] * 4)
    run(_settings(broker, topic), sink=sink)
    _each_once(sink, 1_000)


def test_nothing_is_read_on_while_the_warehouse_is_away(
    broker: EmbeddedBroker, topic: str, in_background: InBackground
) -> None:
    # PITFALLS 30: what is held is the batch in hand and librdkafka's bound, however long it takes.
    sink, stop = ListSink(), Event()
    attempts: list[int] = []

    def refuse(batch: Batch) -> None:
        attempts.append(batch.rows)
        if len(attempts) < 6:
            raise WarehouseUnreachable("w", "away")

    sink.before_load = refuse
    _produced(broker, topic, events=2_000)
    in_background(lambda: run(_settings(broker, topic, batch_rows=500), stop, sink=sink), stop)
    _eventually(lambda: len(sink.rows) == 2_000)
    assert attempts == [500] * 9
    _each_once(sink, 2_000)


def test_warehouse_that_stays_away_ends_the_run_after_the_time_given(
    broker: EmbeddedBroker, topic: str
) -> None:
    _produced(broker, topic, events=100)
    sink = ListSink(failures=[WarehouseUnreachable("w", "away")] * 1_000)
    begun = time.monotonic()
    with pytest.raises(WarehouseUnreachable):
        run(_settings(broker, topic, give_up_seconds=0.5), sink=sink)
    assert time.monotonic() - begun < 10
    assert sum(sink.offsets.values()) == 0


def test_stop_is_obeyed_while_the_warehouse_is_away(
    broker: EmbeddedBroker, topic: str, in_background: InBackground
) -> None:
    sink, stop = ListSink(failures=[WarehouseUnreachable("w", "away")] * 1_000), Event()
    raised: list[Exception] = []

    def work() -> None:
        try:
            run(_settings(broker, topic, retry_max_seconds=60.0, retry_seconds=60.0), stop, sink=sink)
        except WarehouseUnreachable as error:
            raised.append(error)

    _produced(broker, topic, events=100)
    thread = in_background(work, stop)
    _eventually(lambda: len(sink.failures) < 1_000)
    stop.set()
    thread.join(5)
    assert raised


def test_terminal_error_ends_the_run_at_once(broker: EmbeddedBroker, topic: str) -> None:
    _produced(broker, topic, events=100)
    sink = ListSink(failures=[WarehouseRefused("INSERT", "no such table")])
    with pytest.raises(WarehouseRefused, match="no such table"):
        run(_settings(broker, topic), sink=sink)
    assert sink.batches == []


def test_second_writer_on_the_same_partitions_is_fenced_and_nothing_is_doubled(
    broker: EmbeddedBroker, topic: str
) -> None:
    _produced(broker, topic)
    shared = ListSink()

    def overtake(batch: Batch) -> None:
        if not shared.batches:
            shared.before_load = lambda _: None
            run(_settings(broker, topic), sink=shared)

    shared.before_load = overtake
    with pytest.raises(FencedError, match="Another writer moved the stored offsets"):
        run(_settings(broker, topic), sink=shared)
    _each_once(shared, 1_000)


def test_topic_that_was_made_anew_is_said_and_not_waited_on(broker: EmbeddedBroker, topic: str) -> None:
    # PITFALLS 29: the stored offsets lie past the end of the new log.
    _produced(broker, topic, events=100)
    with pytest.raises(OffsetOutOfRange, match="the warehouse asks for 5000"):
        run(_settings(broker, topic), sink=ListSink(offsets=dict.fromkeys(range(4), 5_000)))


def test_missing_topic_and_missing_broker_are_said_at_once(broker: EmbeddedBroker) -> None:
    with pytest.raises(TopicMissing, match="caves produce"):
        run(_settings(broker, "no_such_topic"), sink=ListSink())
    nowhere = EmbeddedBroker("127.0.0.1", 1, 0)
    with pytest.raises(BrokerUnreachable):
        run(_settings(nowhere, "sales"), sink=ListSink())


def test_member_that_leaves_hands_its_partitions_over_with_nothing_lost_or_doubled(
    broker: EmbeddedBroker, topic: str, in_background: InBackground, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="ingest")
    shared, first_stop, second_stop = ListSink(), Event(), Event()
    settings = _settings(broker, topic, assign=False, until_caught_up=False, batch_seconds=0.3)
    first = in_background(lambda: run(settings, first_stop, sink=shared), first_stop)
    _produced(broker, topic)
    _eventually(lambda: len(shared.rows) == 1_000)
    in_background(lambda: run(settings, second_stop, sink=shared), second_stop)
    _eventually(lambda: "revoked partitions" in caplog.text)
    _produced(broker, topic, events=500, seed=2)
    _eventually(lambda: len(shared.rows) == 1_500)
    first_stop.set()
    first.join(20)
    _produced(broker, topic, events=500, seed=3)
    _eventually(lambda: len(shared.rows) == 2_000, seconds=30)
    _each_once(shared, 2_000)


def test_partition_that_goes_while_the_warehouse_is_away_takes_its_rows_along_and_the_others_are_read_again(
    broker: EmbeddedBroker, topic: str
) -> None:
    _produced(broker, topic)
    sink = ListSink()
    ingestor = Ingestor(_settings(broker, topic), sink, Event(), Observer())

    def lose_one(_: Batch) -> None:
        sink.before_load = lambda _: None
        ingestor.lose([0])
        raise WarehouseUnreachable("w", "away")

    sink.before_load = lose_one
    report = ingestor.run()
    ingestor.close()
    assert set(report.next_offsets) == {1, 2, 3}
    assert len(sink.coordinates) == len(set(sink.coordinates)) == sum(report.next_offsets.values())
    assert sink.offsets[0] == 0


def test_batch_that_is_refused_while_a_partition_goes_is_not_forgotten_for_those_that_stay(
    broker: EmbeddedBroker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _produced(broker, topic)
    loading, leaving = Event(), Event()

    def refuse_while_leaving(_: Batch) -> None:
        if not leaving.is_set():
            loading.set()
            leaving.wait(10)
            raise WarehouseRefused("INSERT", "not now")

    sink = ListSink(before_load=refuse_while_leaving)
    ingestor = Ingestor(_settings(broker, topic), sink, Event(), Observer())
    read = KafkaSource.read

    def read_with_rebalance(source: KafkaSource, *bounds: Any) -> list[Any]:
        if loading.is_set() and not leaving.is_set():
            leaving.set()
            ingestor.hand_over([0])
        return read(source, *bounds)

    monkeypatch.setattr(KafkaSource, "read", read_with_rebalance)
    report = ingestor.run()
    ingestor.close()
    assert set(report.next_offsets) == {1, 2, 3}
    assert len(sink.coordinates) == len(set(sink.coordinates)) == sum(report.next_offsets.values()) > 0


def test_what_was_read_before_the_log_moved_on_is_loaded_first(broker: EmbeddedBroker, topic: str) -> None:
    # Retention passes us while the warehouse is away: what is in hand can be had nowhere else.
    _produced(broker, topic)
    looked_up: list[int] = []

    class Sink(ListSink):
        def stored_offsets(self, name: str, logs: Mapping[int, PartitionLog]) -> dict[int, StoredOffset]:
            looked_up.append(sum(self.offsets.values()))
            return super().stored_offsets(name, logs)

    sink = Sink()
    ingestor = Ingestor(_settings(broker, topic, batch_rows=300), sink, Event(), Observer())

    def log_moves_on(_: Batch) -> None:
        sink.before_load = lambda _: None
        _eventually(lambda: len(ingestor._hand) == 300)
        ingestor.displaced(0)

    sink.before_load = log_moves_on
    try:
        ingestor.run()
    finally:
        ingestor.close()
    _each_once(sink, 1_000)
    assert looked_up == [0, 0, 600]
