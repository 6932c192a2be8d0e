"""A topic made anew, on the real embedded broker and the real local warehouse: by each policy."""

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from caves_snowpark.names import KAFKA_OFFSET_GAPS, KAFKA_OFFSETS, RAW_EVENTS
from ingest.broker import EmbeddedBroker
from ingest.errors import OffsetOutOfRange
from ingest.ingestor import run
from ingest.observer import Observer
from ingest.positions import OnOffsetReset
from ingest.producer import produce
from ingest.settings import IngestSettings
from ingest.topics import create_topic
from tests.ingest.doubles import a_run
from tests.ingest.warehouse import LocalWarehouse

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    local = LocalWarehouse(tmp_path_factory.mktemp("cellar"))
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


@pytest.fixture
def name(broker: EmbeddedBroker) -> str:
    topic = f"renewed_{uuid.uuid4().hex[:8]}"
    create_topic(broker.bootstrap, topic, partitions=2)
    return topic


def _made_anew(broker: EmbeddedBroker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.delete_topics([topic], operation_timeout=5)[topic].result()
    create_topic(broker.bootstrap, topic, partitions=2)


def _run(
    broker: EmbeddedBroker,
    warehouse: LocalWarehouse,
    topic: str,
    policy: OnOffsetReset = OnOffsetReset.FAIL,
    observer: Observer | None = None,
) -> None:
    settings = IngestSettings(
        broker.bootstrap,
        "local",
        warehouse.config_file,
        topic=topic,
        assign=True,
        until_caught_up=True,
        on_offset_reset=policy,
    )
    run(settings, observer=observer)


def _ask(warehouse: LocalWarehouse, statement: str) -> Rows:
    with warehouse.session() as ask:
        rows: Rows = ask(statement)
    return rows


def _generations(warehouse: LocalWarehouse, topic: str) -> dict[int, int]:
    number = "COALESCE(EVENT_METADATA:generation::NUMBER(38, 0), 0)"
    counted = (
        f"SELECT {number} AS G, COUNT(*) FROM {RAW_EVENTS} WHERE EVENT_METADATA:topic::VARCHAR = '{topic}'"
    )
    return dict(_ask(warehouse, f"{counted} GROUP BY G"))


class _Gaps(Observer):
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def gap_recorded(self, _: int, __: int | None, reason: str) -> None:
        self.reasons.append(reason)


def test_a_topic_made_anew_is_refused_also_when_its_log_is_the_longer_one(
    broker: EmbeddedBroker, name: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 29: by its offsets alone nobody could tell.
    produce(a_run(broker.bootstrap, topic=name, events=50))
    _run(broker, warehouse, name)
    _made_anew(broker, name)
    produce(a_run(broker.bootstrap, topic=name, events=500, seed=2))
    with pytest.raises(OffsetOutOfRange, match="deleted and made anew"):
        _run(broker, warehouse, name)
    assert _generations(warehouse, name) == {0: 50}


def test_earliest_reads_the_new_log_as_a_generation_of_its_own(
    broker: EmbeddedBroker, name: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=name, events=50))
    _run(broker, warehouse, name)
    _made_anew(broker, name)
    produce(a_run(broker.bootstrap, topic=name, events=30, seed=2))
    seen = _Gaps()
    _run(broker, warehouse, name, OnOffsetReset.EARLIEST, seen)
    _run(broker, warehouse, name)
    assert _generations(warehouse, name) == {0: 50, 1: 30}
    assert seen.reasons == ["TOPIC_REPLACED"] * 2
    recorded = _ask(
        warehouse,
        f"SELECT LOG_GENERATION, REASON, RESET_POLICY, TO_OFFSET, SUM(FROM_OFFSET) FROM {KAFKA_OFFSET_GAPS} "
        f"WHERE TOPIC = '{name}' GROUP BY ALL",
    )
    assert recorded == [(0, "TOPIC_REPLACED", "earliest", None, 50)]
    stored = f"SELECT LOG_GENERATION, SUM(NEXT_OFFSET), SUM(FIRST_OFFSET) FROM {KAFKA_OFFSETS}"
    assert _ask(warehouse, f"{stored} WHERE TOPIC = '{name}' GROUP BY ALL") == [(1, 30, 0)]


def test_latest_passes_over_what_is_there_and_says_so(
    broker: EmbeddedBroker, name: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=name, events=50))
    _run(broker, warehouse, name)
    _made_anew(broker, name)
    produce(a_run(broker.bootstrap, topic=name, events=30, seed=2))
    _run(broker, warehouse, name, OnOffsetReset.LATEST)
    produce(a_run(broker.bootstrap, topic=name, events=20, seed=3))
    _run(broker, warehouse, name)
    loaded = _generations(warehouse, name)
    skipped = _ask(
        warehouse,
        f"SELECT SUM(TO_OFFSET - FROM_OFFSET) FROM {KAFKA_OFFSET_GAPS} "
        f"WHERE TOPIC = '{name}' AND REASON = 'SKIPPED'",
    )
    # The embedded broker tells the end of a log too low, so some of what was there may be read all the same;
    # every message is one or the other.
    assert loaded[0] == 50
    assert loaded[1] + skipped[0][0] == 50
    assert loaded[1] >= 20


def test_a_topic_made_anew_while_we_read_it_is_noticed(
    broker: EmbeddedBroker,
    name: str,
    warehouse: LocalWarehouse,
    in_background: Callable[[Callable[[], object], Event], Thread],
) -> None:
    stop, ended = Event(), []
    settings = IngestSettings(
        broker.bootstrap,
        "local",
        warehouse.config_file,
        topic=name,
        assign=True,
        on_offset_reset=OnOffsetReset.EARLIEST,
        batch_seconds=0.2,
        topic_check_seconds=0.5,
    )
    produce(a_run(broker.bootstrap, topic=name, events=50))
    _run(broker, warehouse, name)
    # It knows the topic that was; the one that is there when it opens is another.
    _made_anew(broker, name)
    produce(a_run(broker.bootstrap, topic=name, events=40, seed=2))
    in_background(lambda: ended.append(run(settings, stop)), stop)
    deadline = time.monotonic() + 30
    while _generations(warehouse, name).get(1) != 40:
        assert time.monotonic() < deadline
        time.sleep(0.2)
