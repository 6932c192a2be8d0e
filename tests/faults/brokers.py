"""The broker of a round: Apache Kafka, or the embedded one where its log need not outlive it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ingest.broker import EmbeddedBroker, running_broker
from ingest.topics import create_topic
from tests.faults.apache_kafka.cluster import KafkaCluster, running_cluster


class Broker(Protocol):
    """What every round may do to its broker."""

    @property
    def bootstrap(self) -> str: ...

    @property
    def cluster(self) -> KafkaCluster | None:
        """Apache Kafka, for the faults that only it survives; None: the embedded broker."""
        ...

    def create_topic(self, topic: str, partitions: int) -> None: ...

    def pause(self) -> None:
        """Nobody answers; connections stay open."""
        ...

    def resume(self) -> None: ...


class ApacheKafka:
    """One node or three."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self.cluster = cluster

    @property
    def bootstrap(self) -> str:
        return self.cluster.bootstrap

    def create_topic(self, topic: str, partitions: int) -> None:
        self.cluster.create_topic(topic, partitions)

    def pause(self) -> None:
        for node in self.cluster.nodes:
            node.pause()

    def resume(self) -> None:
        for node in self.cluster.nodes:
            node.resume()


class Embedded:
    """Starts in 30 ms, and forgets everything when it is killed."""

    cluster = None

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    @property
    def bootstrap(self) -> str:
        return self._broker.bootstrap

    def create_topic(self, topic: str, partitions: int) -> None:
        create_topic(self.bootstrap, topic, partitions)

    def pause(self) -> None:
        os.kill(self._broker.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._broker.pid, signal.SIGCONT)


@contextmanager
def running(kind: str, folder: Path, nodes: int) -> Iterator[Broker]:
    """A broker of that kind for the length of a block."""
    if kind == "embedded":
        with running_broker(log_file=folder / "broker.log") as broker:
            yield Embedded(broker)
    else:
        with running_cluster(folder / "kafka", nodes) as cluster:
            yield ApacheKafka(cluster)
