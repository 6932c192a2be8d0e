"""A cluster of Apache Kafka nodes on loopback, and what an operator would do to its topics."""

import base64
import random
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    ElectionType,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from ingest.topics import client_settings, kafka_log
from tests.faults.apache_kafka.node import KafkaNode

T = TypeVar("T")

# It is ready in 2 s on a quiet machine.
PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
# Below the range from which the system takes ports for outgoing connections: one of those could sit on a
# killed node's port when the node comes back.
_PORTS: Final = range(20_000, 32_000)
_PORTS_A_NODE: Final = 3


@dataclass
class KafkaCluster:
    """Nodes that know each other. `start` and `stop` may be repeated; the data stays."""

    nodes: list[KafkaNode]
    _admin: AdminClient | None = field(default=None, repr=False)

    @property
    def bootstrap(self) -> str:
        """Where clients begin; every node, so that one that is down does not matter."""
        return ",".join(f"127.0.0.1:{node.advertised or node.port}" for node in self.nodes)

    @property
    def admin(self) -> AdminClient:
        """One client for all questions, and none before the first one."""
        if self._admin is None:
            self._admin = AdminClient(client_settings(self._direct), logger=kafka_log)
        return self._admin

    def start(self) -> None:
        """Start every node that does not run, and wait until all of them serve."""
        self.start_nodes()
        self.wait_until_ready()

    def start_nodes(self) -> None:
        for node in self.nodes:
            if not node.running:
                node.start()

    def wait_until_ready(self) -> None:
        """Until every node that runs is a member, and every partition has a leader."""
        running = {node.number for node in self.nodes if node.running}

        def ready() -> bool:
            for node in self.nodes:
                assert node.running or node.number not in running, f"node {node.number} ended: {_tail(node)}"
            metadata = self.admin.list_topics(timeout=2)
            partitions = [part for topic in metadata.topics.values() for part in topic.partitions.values()]
            return running <= metadata.brokers.keys() and all(part.leader >= 0 for part in partitions)

        wait_until(ready)

    def stop(self) -> None:
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(KafkaNode.stop, self.nodes))

    def kill(self) -> None:
        for node in self.nodes:
            if node.running:
                node.kill()

    def node(self, number: int) -> KafkaNode:
        return next(node for node in self.nodes if node.number == number)

    def create_topic(
        self, topic: str, partitions: int = 4, replication: int | None = None, **settings: str
    ) -> None:
        """Make a topic, on all nodes unless told otherwise, and wait until it can be used."""
        copies = replication or len(self.nodes)
        config = {key.replace("_", "."): value for key, value in settings.items()}
        request = NewTopic(topic, num_partitions=partitions, replication_factor=copies, config=config)
        self.admin.create_topics([request], operation_timeout=10)[topic].result()
        wait_until(lambda: len(self.leaders(topic)) == partitions)

    def delete_topic(self, topic: str) -> None:
        self.admin.delete_topics([topic], operation_timeout=10)[topic].result()
        wait_until(lambda: not self.leaders(topic))

    def add_partitions(self, topic: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, total)], operation_timeout=10)[topic].result()
        wait_until(lambda: len(self.leaders(topic)) == total)

    def leaders(self, topic: str) -> dict[int, int]:
        """The node that leads each partition of the topic; partitions without a leader are left out."""
        # All topics are asked for: to name one that is missing would be an error.
        found = self.admin.list_topics(timeout=5).topics.get(topic)
        partitions = found.partitions if found is not None else {}
        return {number: part.leader for number, part in partitions.items() if part.leader >= 0}

    def elect_preferred_leaders(self, topic: str) -> None:
        """Give every partition back to the first of its replicas, as far as they are there."""
        places = [TopicPartition(topic, partition) for partition in self.leaders(topic)]
        self.admin.elect_leaders(ElectionType.PREFERRED, places).result()

    def delete_records(self, topic: str, before: Mapping[int, int]) -> None:
        """What retention does: the log of each partition begins at the offset given, from now on."""
        places = [TopicPartition(topic, partition, offset) for partition, offset in before.items()]
        for future in self.admin.delete_records(places).values():
            future.result()

    def bounds(self, topic: str) -> dict[int, tuple[int, int]]:
        """First offset and the one after the last, for each partition."""
        settings = client_settings(self._direct, {"group.id": "bounds-of-the-tests"})
        consumer = Consumer(settings, logger=kafka_log)
        try:
            # A leader that was elected a moment ago may not know it yet: so ask until it answers.
            return {
                partition: patiently(
                    partial(consumer.get_watermark_offsets, TopicPartition(topic, partition), timeout=2)
                )
                for partition in self.leaders(topic)
            }
        finally:
            consumer.close()

    def reset_group(self, group: str, topic: str) -> bool:
        """Set the group's committed offsets to 0; KafkaException while the group has members."""
        places = [TopicPartition(topic, partition, 0) for partition in self.leaders(topic)]
        request = [ConsumerGroupTopicPartitions(group, places)]
        # Whoever waits asks again, by a new client: one that has lost the group's coordinator does not always
        # find it again.
        admin = AdminClient(client_settings(self._direct), logger=kafka_log)
        admin.alter_consumer_group_offsets(request, request_timeout=10)[group].result()
        return True

    @property
    def _direct(self) -> str:
        """Past any proxy."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)


@contextmanager
def running_cluster(
    folder: Path, nodes: int = 1, advertised: Callable[[int], int] | None = None
) -> Iterator[KafkaCluster]:
    """A new cluster for the length of a block.

    `advertised` is told the port of each node and gives the one that clients are to use.
    """
    cluster = new_cluster(folder, nodes, advertised)
    try:
        cluster.start()
        yield cluster
    finally:
        # Nobody reads its data again, and a clean stop of three nodes takes seconds.
        cluster.kill()


def new_cluster(folder: Path, nodes: int = 1, advertised: Callable[[int], int] | None = None) -> KafkaCluster:
    """A cluster that is formatted and not started. KafkaUnavailable where it cannot run."""
    ports = _free_ports(nodes * _PORTS_A_NODE)
    members = []
    for number in range(1, nodes + 1):
        port, broker_port, controller_port = (ports.pop() for _ in range(_PORTS_A_NODE))
        proxy = advertised(port) if advertised else 0
        members.append(
            KafkaNode(number, folder / f"node-{number}", port, broker_port, controller_port, proxy)
        )
    voters = ",".join(f"{node.number}@127.0.0.1:{node.controller_port}" for node in members)
    copies = str(min(nodes, 3))
    settings = {
        "controller.quorum.voters": voters,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        # One node of three may be away, and what was acknowledged is on two.
        "transaction.state.log.min.isr": str(max(1, nodes - 1)),
        "min.insync.replicas": str(max(1, nodes - 1)),
    }
    cluster_id = _cluster_id()
    with ThreadPoolExecutor(nodes) as pool:
        list(pool.map(lambda node: node.format(cluster_id, settings), members))
    return KafkaCluster(members)


def wait_until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that the cluster will do; an error of a Kafka client counts as not yet."""
    patiently(lambda: holds() or None, seconds)


def patiently(ask: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """The first answer that is not None; an error of a Kafka client counts as no answer yet."""
    deadline = time.monotonic() + seconds
    last: object = "no error"
    while True:
        try:
            answer = ask()
            if answer is not None:
                return answer
        except KafkaException as error:
            last = error
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s ({last})"
        time.sleep(_POLL_SECONDS)


def _cluster_id() -> str:
    """As Kafka makes one: a UUID in base64, and never one whose first dash would look like an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = random.choice(_PORTS)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
        return found


def _tail(node: KafkaNode) -> str:
    return node.log.read_text(encoding="utf-8", errors="replace")[-2_000:]
