"""One node of Apache Kafka, broker and controller in one process, on loopback."""

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.apache_kafka.jars import jars, java

# Made for starting soon on a busy machine: no optimising compiler, one collector thread, a small heap.
_JAVA_OPTIONS: Final = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOGGING: Final = Path(__file__).with_name("log4j2.properties")
# A clean stop hands leadership over first; past this the node is ended.
_STOP_SECONDS: Final = 15

_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,CLIENT:PLAINTEXT",
    # A topic that nobody made is a mistake of the test.
    "auto.create.topics.enable": "false",
    # After kill -9 the controller takes the node back only when its old session is over: 9 s by default, and
    # less than this is too short for a node that starts on a busy machine.
    "broker.session.timeout.ms": "2500",
    "broker.heartbeat.interval.ms": "250",
    # One partition is enough for a few groups, and is found sooner than fifty.
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
}


@dataclass
class KafkaNode:
    """A node whose data stays in its folder, through kill -9 too. Knows nothing of the other nodes."""

    number: int
    folder: Path
    # Where clients reach it; `advertised` differs when a proxy stands in between.
    port: int
    broker_port: int
    controller_port: int
    advertised: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / "node.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def format(self, cluster_id: str, settings: Mapping[str, str]) -> None:
        """Lay out the storage; done once, before the first start."""
        self.folder.mkdir(parents=True)
        ours = {
            **_SETTINGS,
            "node.id": str(self.number),
            "log.dirs": str(self.folder / "data"),
            "listeners": f"CLIENT://127.0.0.1:{self.port},BROKER://127.0.0.1:{self.broker_port},"
            f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self.advertised or self.port},"
            f"BROKER://127.0.0.1:{self.broker_port}",
            **settings,
        }
        text = "".join(f"{key}={value}\n" for key, value in ours.items())
        self._properties.write_text(text, encoding="utf-8")
        command = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", self._properties)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start the process; whoever needs it waits until the cluster answers."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", self._properties),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A Ctrl-C in the terminal is for the tests, which stop their brokers themselves.
                start_new_session=True,
            )

    def stop(self) -> None:
        """A clean stop: leadership moves first, and what is in memory is written."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9: what was acknowledged is in the system's page cache, and so in the log."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: its connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            # Popen looks first whether the process has ended: a pid may be a stranger's by then.
            self._process.send_signal(number)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, main: str, *arguments: str | Path) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
        command = [java(), *_JAVA_OPTIONS, logging, "-cp", f"{jars()}/*", main]
        return [*command, *map(str, arguments)]
