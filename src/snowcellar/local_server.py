"""A warehouse in a process of its own, started and stopped from Python: for tests and scripts.

with LocalServer(folder) as server:
    session = server.session()
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import snowflake.connector
from snowflake.snowpark import Session

_COMMAND = [sys.executable, "-c", "from snowcellar.cli import main; main()", "serve"]
_QUIET = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}


class ServerNotStarted(RuntimeError):
    """The process ended before it served; what it wrote says why."""


class LocalServer:
    """A running `snowcellar serve`, and how to connect to it."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start a server whose state lies in `folder`, which may hold that of an earlier one.

        options: further options of `snowcellar serve`, as "--minute", "1".
        """
        self.folder = folder
        self.config = folder / "config.toml"
        self.log = folder / "snowcellar.log"
        folder.mkdir(parents=True, exist_ok=True)
        state = ["--db", str(folder / "cellar.duckdb"), "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                # A server must not outlive whoever started it: its input closes with that process.
                [*_COMMAND, *state, "--until-input-ends", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()
        if not self.ready:
            self.end(signal.SIGKILL)
            raise ServerNotStarted(self.log.read_text(errors="replace")[-2000:].strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def parameters(self) -> dict[str, Any]:
        """What the connector and Snowpark need to connect: the connection `local` of the config file."""
        with self.config.open("rb") as file:
            return dict(tomllib.load(file)["connections"]["local"])

    def connect(self, **options: Any) -> Any:
        """A connection of the Snowflake connector; the caller closes it."""
        return snowflake.connector.connect(
            **{"session_parameters": _QUIET, **self.parameters, **options},
        )

    def session(self, **options: Any) -> Session:
        """A Snowpark Session; the caller closes it."""
        opened: Session = Session.builder.configs({**self.parameters, **options}).create()
        return opened

    def end(self, number: signal.Signals = signal.SIGTERM, patience_seconds: float = 30.0) -> None:
        """Stop the server by a signal and wait until it has ended; nothing happens if it has."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(patience_seconds)
            raise
        finally:
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
