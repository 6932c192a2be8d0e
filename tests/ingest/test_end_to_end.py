"""The whole way: the shop, the embedded broker, the ingestor, the local warehouse over its real wire."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from caves_snowpark.names import INGEST_STAGE, KAFKA_OFFSETS, RAW_EVENTS
from ingest.broker import EmbeddedBroker
from ingest.errors import FencedError
from ingest.ingestor import run
from ingest.loader import WarehouseSink, warehouse_sink
from ingest.positions import PartitionLog, StoredOffset
from ingest.producer import produce
from ingest.settings import IngestSettings
from tests.ingest.doubles import a_run
from tests.ingest.warehouse import LocalWarehouse

# An ingestor as a service runs it: a process of its own that leaves on SIGTERM.
_SERVICE = """
import sys
from pathlib import Path
from ingest.ingestor import run
from ingest.settings import IngestSettings
from ingest.signals import stop_on_signals
bootstrap, topic, config = sys.argv[1:4]
seconds = float(sys.argv[4])
settings = IngestSettings(bootstrap, "local", Path(config), topic=topic, assign=True, batch_seconds=seconds)
with stop_on_signals() as stop:
    sys.stdout.write("ready\\n"); sys.stdout.flush()
    report = run(settings, stop)
sys.stdout.write(f"{report.rows}\\n")
"""


@pytest.fixture
def own_warehouse(tmp_path: Path) -> Iterator[LocalWarehouse]:
    """One to be killed: the others keep theirs."""
    local = LocalWarehouse(tmp_path)
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    local = LocalWarehouse(tmp_path_factory.mktemp("cellar"))
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


def _settings(
    broker: EmbeddedBroker, warehouse: LocalWarehouse, topic: str, **changes: Any
) -> IngestSettings:
    defaults = {"assign": True, "until_caught_up": True, "retry_seconds": 0.1, "retry_max_seconds": 0.5}
    return IngestSettings(
        broker.bootstrap, "local", warehouse.config_file, topic=topic, **{**defaults, **changes}
    )


def _rows(warehouse: LocalWarehouse, topic: str, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.session() as ask:
        where = f"WHERE EVENT_METADATA:topic::VARCHAR = '{topic}'"
        rows: list[tuple[Any, ...]] = ask(f"SELECT {columns} FROM {RAW_EVENTS} {where}")
    return rows


def _each_once(warehouse: LocalWarehouse, topic: str, events: int) -> None:
    """Invariant 1: every message up to NEXT_OFFSET is in RAW exactly once."""
    place = "EVENT_METADATA:partition::NUMBER(38, 0), EVENT_METADATA:offset::NUMBER(38, 0)"
    coordinates = _rows(warehouse, topic, place)
    assert len(coordinates) == events == len(set(coordinates))
    with warehouse.session() as ask:
        stored = ask(f"SELECT PARTITION, NEXT_OFFSET FROM {KAFKA_OFFSETS} WHERE TOPIC = '{topic}'")
    assert sum(offset for _, offset in stored) == events
    assert all(offset < dict(stored)[partition] for partition, offset in coordinates)


def test_every_message_reaches_raw_once_in_the_form_that_it_has(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 23 to 25, up to RAW.
    truth = produce(a_run(broker.bootstrap, topic=topic, events=2_000, bad_share=0.1)).truth
    run(_settings(broker, warehouse, topic))
    _each_once(warehouse, topic, 2_000)
    form = (
        "EVENT_TYPE, EVENT_METADATA:format::VARCHAR, EVENT_METADATA:encoding::VARCHAR, TYPEOF(EVENT_CONTENT)"
    )
    forms = _rows(warehouse, topic, form)
    text = ("array", "null", "number", "string", "empty", "truncated", "deep_nesting", "duplicate_keys")
    least = sum(truth.bad[kind] for kind in text) + truth.bad.get("oversized", 0)
    # Whether NaN and 1e400 are JSON is the engine's business; they are no quantity and no price in any case.
    either = truth.bad["nan"] + truth.bad["huge_number"]
    assert forms.count((None, "tombstone", "utf-8", "VARCHAR")) == truth.bad["tombstone"]
    assert forms.count((None, "text", "base64", "VARCHAR")) == truth.bad["not_utf8"]
    assert least <= forms.count((None, "text", "utf-8", "VARCHAR")) <= least + either
    assert forms.count((None, "json", "utf-8", "OBJECT")) == truth.bad["event_type_missing"]
    assert forms.count(("ORDER_CANCELLED", "json", "utf-8", "OBJECT")) == truth.bad["event_type_unknown"]
    assert len(forms) == sum(form[3] in ("VARCHAR", "OBJECT") for form in forms)


def test_columns_of_raw_are_null_where_the_event_has_no_sensible_value(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    truth = produce(a_run(broker.bootstrap, topic=topic, events=2_000, bad_share=0.1)).truth
    run(_settings(broker, warehouse, topic))
    ids = _rows(warehouse, topic, "EVENT_CONTENT:product_id::VARCHAR, PRODUCT_ID, CUSTOMER_ID")
    spoilt = [row for row in ids if row[0] == "PROD-1"]
    assert len(spoilt) == truth.bad["product_id_text"]
    assert all(product is None and customer is not None for _, product, customer in spoilt)
    assert all(int(text) == product for text, product, _ in ids if text and text != "PROD-1")


def test_a_broken_number_is_no_id_and_is_not_rounded_to_one(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    from confluent_kafka import Producer

    sender = Producer({"bootstrap.servers": broker.bootstrap})
    sender.produce(topic, b'{"product_id": 12.5, "customer_id": "7"}')
    sender.flush(10)
    run(_settings(broker, warehouse, topic))
    assert _rows(warehouse, topic, "PRODUCT_ID, CUSTOMER_ID") == [(None, 7)]


def test_key_headers_and_time_of_a_message_are_kept(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    from confluent_kafka import Producer

    sender = Producer({"bootstrap.servers": broker.bootstrap})
    sender.produce(topic, b"{}", b"\xff", partition=1, timestamp=1_700_000_000_123, headers=[("trace", b"7")])
    sender.flush(10)
    run(_settings(broker, warehouse, topic))
    wanted = ["key", "key_encoding", "headers", "timestamp_ms", "partition", "offset"]
    ((key, encoding, headers, moment, partition, offset),) = _rows(
        warehouse, topic, ", ".join(f"EVENT_METADATA:{name}::VARCHAR" for name in wanted)
    )
    assert (key, encoding) == ("/w==", "base64")
    assert "".join(headers.split()) == '[["trace","7"]]'
    assert (moment, partition, offset) == ("1700000000123", "1", "0")


def test_second_run_adds_only_what_is_new_and_leaves_no_file_on_the_stage(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=topic, events=700))
    run(_settings(broker, warehouse, topic, batch_rows=300))
    produce(a_run(broker.bootstrap, topic=topic, events=300, seed=5))
    run(_settings(broker, warehouse, topic))
    run(_settings(broker, warehouse, topic))
    _each_once(warehouse, topic, 1_000)
    with warehouse.session() as ask:
        assert ask(f"LIST @{INGEST_STAGE}") == []


def test_zombie_that_wakes_up_after_its_partitions_moved_is_fenced_by_the_warehouse(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    produce(a_run(broker.bootstrap, topic=topic, events=500))
    settings = _settings(broker, warehouse, topic)
    load = WarehouseSink.load

    def sleep_while_another_loads(sink: WarehouseSink, batch: Any) -> None:
        monkeypatch.setattr(WarehouseSink, "load", load)
        run(settings)
        load(sink, batch)

    monkeypatch.setattr(WarehouseSink, "load", sleep_while_another_loads)
    with pytest.raises(FencedError):
        run(settings)
    _each_once(warehouse, topic, 500)


def test_two_writers_that_seed_a_topic_at_once_share_one_row_a_partition(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    sinks = [warehouse_sink(_settings(broker, warehouse, topic)) for _ in range(2)]
    found: list[dict[int, StoredOffset]] = []
    logs = {0: PartitionLog(3, 9, "identity"), 1: PartitionLog(0, 9, "identity")}
    threads = [Thread(target=lambda s=sink: found.append(s.stored_offsets(topic, logs))) for sink in sinks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for sink in sinks:
        sink.close()
    assert found == [{0: StoredOffset(3, 0, "identity", 3), 1: StoredOffset(0, 0, "identity")}] * 2
    with warehouse.session() as ask:
        assert ask(f"SELECT COUNT(*) FROM {KAFKA_OFFSETS} WHERE TOPIC = '{topic}'") == [(2,)]


def test_sigterm_finishes_the_batch_in_hand(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 27, with the real signal.
    produce(a_run(broker.bootstrap, topic=topic, events=400))
    command = [sys.executable, "-W", "ignore", "-c", _SERVICE]
    command += [broker.bootstrap, topic, str(warehouse.config_file), "600"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    assert service.stdout.readline() == "ready\n"
    time.sleep(2.5)
    assert _rows(warehouse, topic, "1") == []
    service.send_signal(signal.SIGTERM)
    output, _ = service.communicate(timeout=30)
    assert (service.returncode, output) == (0, "400\n")
    _each_once(warehouse, topic, 400)


def test_ingestor_that_is_killed_leaves_nothing_doubled_and_nothing_lost(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=topic, events=30_000, bad_share=0))
    command = [sys.executable, "-W", "ignore", "-c", _SERVICE]
    command += [broker.bootstrap, topic, str(warehouse.config_file), "0.05"]
    for pause in (1.2, 1.5):
        service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert service.stdout is not None and service.stdout.readline() == "ready\n"
        time.sleep(pause)
        service.kill()
        service.communicate(timeout=10)
    run(_settings(broker, warehouse, topic))
    _each_once(warehouse, topic, 30_000)


def test_warehouse_that_is_killed_and_comes_back_is_found_again(
    broker: EmbeddedBroker,
    topic: str,
    own_warehouse: LocalWarehouse,
    in_background: Callable[[Callable[[], object], Event], Thread],
) -> None:
    stop = Event()
    settings = _settings(
        broker, own_warehouse, topic, batch_rows=500, until_caught_up=False, batch_seconds=0.2
    )
    produce(a_run(broker.bootstrap, topic=topic, events=2_000))
    in_background(lambda: run(settings, stop), stop)
    time.sleep(1.5)
    own_warehouse.kill()
    produce(a_run(broker.bootstrap, topic=topic, events=1_000, seed=9))
    own_warehouse.start()
    deadline = time.monotonic() + 60
    while len(_rows(own_warehouse, topic, "1")) < 3_000:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    _each_once(own_warehouse, topic, 3_000)
