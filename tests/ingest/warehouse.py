"""The local warehouse as a server process, with the part of deploy/ that the ingestor needs."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.connections import connect
from tests.deploy_files import ACCOUNT, run_files

DATABASE = "INGEST_TEST_DB"
_READY_SECONDS = 60


@dataclass
class LocalWarehouse:
    """A served warehouse; `kill` and `start` again keep its file and its port."""

    folder: Path
    port: int = 0
    process: "subprocess.Popen[str] | None" = None

    @property
    def config_file(self) -> Path:
        return self.folder / "config.toml"

    def start(self) -> None:
        command = [str(Path(sys.prefix) / "bin/snowcellar"), "serve"]
        command += ["--db", str(self.folder / "cellar.duckdb"), "--config", str(self.config_file)]
        command += ["--port", str(self.port), "--database", DATABASE]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        timer = threading.Timer(_READY_SECONDS, self.process.kill)
        timer.start()
        ready = self.process.stdout.readline()
        timer.cancel()
        assert "serving" in ready, f"snowcellar did not start: {ready!r}"
        self.port = int(ready.split("127.0.0.1:")[1].split(";")[0])

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it and its workers; SIGKILL is the fault, SIGTERM the end of a test."""
        assert self.process is not None
        os.killpg(self.process.pid, number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def deploy(self) -> None:
        """Roles, database and the deploy files of the RAW layer, as `caves deploy` would run them."""
        with self.session() as run:
            files = (ACCOUNT, "010_foundation", "020_raw", "060_ingest")
            run_files(run, *files, CAVES_DATABASE=DATABASE)

    @contextmanager
    def session(self) -> Iterator[Any]:
        """A function that runs a statement and gives its rows."""
        connection: Any = connect("local", self.config_file)
        try:
            yield lambda statement: connection.cursor().execute(statement).fetchall()
        finally:
            connection.close()
