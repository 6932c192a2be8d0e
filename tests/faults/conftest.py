"""Apache Kafka for the tests that are marked with `kafka`, and a warehouse that has the RAW layer."""

import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from confluent_kafka import Producer

from ingest.ingestor import run
from ingest.producer import produce
from ingest.settings import IngestSettings
from ingest.truth import Truth
from tests.faults.apache_kafka.cluster import KafkaCluster, running_cluster, wait_until
from tests.faults.apache_kafka.jars import KafkaUnavailable, jars, java
from tests.faults.coordinates import Comparison, Coordinate, compare, coordinates_in_log, coordinates_in_raw
from tests.faults.ingestors import IngestCommand, Ingestor
from tests.ingest.doubles import a_run
from tests.ingest.warehouse import LocalWarehouse


@pytest.fixture(scope="session")
def kafka_is_here() -> None:
    """Skips where Java or Maven is missing, and says which."""
    try:
        java()
        jars()
    except KafkaUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def one_node(kafka_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with running_cluster(tmp_path_factory.mktemp("kafka-1"), nodes=1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def three_nodes(kafka_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    with running_cluster(tmp_path_factory.mktemp("kafka-3"), nodes=3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def raw_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    local = LocalWarehouse(tmp_path_factory.mktemp("cellar"))
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


class Flow:
    """One topic of a cluster, its producer, and its ingestors into a warehouse that other tests use too."""

    def __init__(self, cluster: KafkaCluster, warehouse: LocalWarehouse, folder: Path) -> None:
        self.cluster = cluster
        self.warehouse = warehouse
        self.topic = f"sales_{uuid.uuid4().hex[:12]}"
        self._folder = folder
        self._started: list[Ingestor] = []
        self._threads: list[tuple[Thread, Event]] = []
        cluster.create_topic(self.topic, partitions=4)

    def produce(self, events: int, **settings: Any) -> Truth:
        return produce(a_run(self.cluster.bootstrap, topic=self.topic, events=events, **settings)).truth

    def settings(self, **changes: Any) -> IngestSettings:
        defaults = {"assign": True, "until_caught_up": True, "retry_seconds": 0.1, "retry_max_seconds": 0.5}
        return IngestSettings(
            self.cluster.bootstrap,
            "local",
            self.warehouse.config_file,
            topic=self.topic,
            group=self.topic,
            **{**defaults, **changes},
        )

    def ingest(self, **changes: Any) -> int:
        """Load what is there, in this process; how many rows that was."""
        return run(self.settings(**changes)).rows

    def ingest_on(self, **changes: Any) -> None:
        """Go on loading in the background, until the end of the test."""
        stop = Event()
        settings = self.settings(until_caught_up=False, batch_seconds=0.2, **changes)
        thread = Thread(target=run, args=(settings, stop), daemon=True)
        self._threads.append((thread, stop))
        thread.start()

    def ingestor(self, *flags: str) -> Ingestor:
        """A process of its own, started and stopped with the test."""
        command = IngestCommand(
            self.cluster.bootstrap, self.topic, self.warehouse.config_file, group=self.topic, flags=flags
        )
        ingestor = Ingestor(command, self._folder / f"ingestor-{len(self._started)}.log")
        self._started.append(ingestor)
        ingestor.start()
        return ingestor

    @property
    def rows(self) -> int:
        with self.warehouse.session() as ask:
            return coordinates_in_raw(ask, self.topic).total()

    def wait_for(self, rows: int) -> None:
        """Wait until RAW holds so many rows, then compare each with the log."""
        wait_until(lambda: self.rows >= rows)
        comparison = self.compared()
        assert comparison.equal, str(comparison)
        assert comparison.messages == rows

    @property
    def owners(self) -> int:
        """How many members the consumer group has that own partitions."""
        described = self.cluster.admin.describe_consumer_groups([self.topic])[self.topic].result()
        return sum(bool(member.assignment.topic_partitions) for member in described.members)

    def log(self) -> Counter[Coordinate]:
        return coordinates_in_log(self.cluster.bootstrap, self.topic)

    def compared(self) -> Comparison:
        with self.warehouse.session() as ask:
            return compare(self.log(), coordinates_in_raw(ask, self.topic))

    def produce_in_transactions(self, count: int, messages: int = 25) -> int:
        """So many transactions, every second one aborted; how many messages are committed."""
        settings = {"bootstrap.servers": self.cluster.bootstrap, "transactional.id": self.topic}
        producer = Producer(settings)
        producer.init_transactions(20)
        for number in range(count):
            producer.begin_transaction()
            for line in range(messages):
                text = f'{{"event_type": "ORDER_CREATED", "order_line_id": "{number}-{line}"}}'
                producer.produce(self.topic, text, str(line))
            if number % 2:
                producer.abort_transaction(20)
            else:
                producer.commit_transaction(20)
        return (count + 1) // 2 * messages

    def close(self) -> None:
        for ingestor in self._started:
            if ingestor.running:
                ingestor.kill()
        for thread, stop in self._threads:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


FlowOn = Callable[[KafkaCluster], Flow]


@pytest.fixture
def flow_on(raw_warehouse: LocalWarehouse, tmp_path: Path) -> Iterator[FlowOn]:
    made: list[Flow] = []

    def make(cluster: KafkaCluster) -> Flow:
        made.append(Flow(cluster, raw_warehouse, tmp_path))
        return made[-1]

    yield make
    for flow in made:
        flow.close()


@pytest.fixture
def flow(one_node: KafkaCluster, flow_on: FlowOn) -> Flow:
    """On one node."""
    return flow_on(one_node)
