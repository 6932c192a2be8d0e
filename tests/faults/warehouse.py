"""The local warehouse with the whole pipeline deployed, as a process that may be killed and come back."""

import os
import signal
from pathlib import Path
from threading import RLock
from typing import Final

from snowflake.connector import SnowflakeConnection

from caves_cli import connection, deploy, local, processes, project
from caves_cli.processes import Process
from caves_cli.state import StateFolder
from tests.faults.apache_kafka.cluster import wait_until

# How long a request of an ingestor is repeated before it counts as unanswered: 20 s in production, which no
# round could wait for.
INGEST_NETWORK_SECONDS: Final = 3


class Warehouse:
    """Keeps its file and its port through kill -9; what waits in it goes on by its tasks."""

    def __init__(self, folder: Path, minute_seconds: float) -> None:
        self._folder = StateFolder(folder)
        self._minute_seconds = minute_seconds
        self._process: Process | None = None
        # Two faults, or a fault and the proxy's thread, may end and start it at once.
        self._lock = RLock()
        self.port = 0
        # The port that the ingestors use; their config file is written anew at every start.
        self.proxy_port = 0

    @property
    def config_file(self) -> Path:
        return self._folder.config_file

    @property
    def ingest_config_file(self) -> Path:
        return self._folder.path / "ingest.toml"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def workers(self) -> list[int]:
        """The processes in which procedures run."""
        return processes.family(self.pid)[1:]

    def start(self) -> None:
        """Start it, unless it runs."""
        with self._lock:
            if not self.running:
                self._process = local.start_warehouse(self._folder, self._minute_seconds, self.port)
                self.port = self._process.port
                self._write_ingest_config()

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            processes.stop(self._process)

    def kill(self) -> None:
        """kill -9 of the server alone: its workers must notice by themselves, and do."""
        with self._lock:
            workers = self.workers
            self._signal(signal.SIGKILL)
            wait_until(lambda: not self.running, 30)
            wait_until(lambda: not any(processes.start_time(worker) for worker in workers), 30)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def deploy(self) -> None:
        """What `caves bootstrap` and `caves deploy` run."""
        target = connection.target("local", self.config_file)
        deploy.bootstrap(target, project.root(), lambda _: None)
        deploy.deploy(target, project.root(), lambda _: None)

    def open(self) -> SnowflakeConnection:
        """A session in the pipeline's database, past the proxy."""
        return connection.target("local", self.config_file).open()

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def _write_ingest_config(self) -> None:
        text = self.config_file.read_text(encoding="utf-8")
        ours = f"port = {self.proxy_port}\nnetwork_timeout = {INGEST_NETWORK_SECONDS}"
        assert f"port = {self.port}" in text
        draft = self.ingest_config_file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(text.replace(f"port = {self.port}", ours), encoding="utf-8")
        draft.replace(self.ingest_config_file)
