"""A worker seen from the server: a process, and the pipe to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import snowcellar
from snowcellar.errors import WarehouseError
from snowcellar.procedures import packages
from snowcellar.procedures.channel import Channel, Closed, TimedOut
from snowcellar.procedures.imports import NO_IMPORTS, ImportSet

_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""All that handlers see of the server's environment: no credential, no proxy, no Python path."""


class WorkerDied(WarehouseError):
    """The process ended, or was ended, before it answered."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(
            f"Stored procedure execution error: the worker process that ran {name} {how} before it answered. "
            "What the procedure had committed stays; the transaction that it had open is rolled back.",
            100357,
            "P0000",
        )
        self.how = how


class WorkerProcess:
    """One worker process; it runs one call at a time."""

    def __init__(self, folder: Path, distributions: tuple[str, ...], memory_bytes: int) -> None:
        """Start the process; `wait_until_ready` waits for it.

        folder: its working folder and log.
        distributions: the installed packages that its procedures may import.
        memory_bytes: how much its procedures may take.
        """
        self.distributions = distributions
        self.memory_bytes = memory_bytes
        self.imports = NO_IMPORTS
        self._ready = False
        self._killed = False
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        source = str(Path(snowcellar.__file__).parents[1])
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment |= {
            "PYTHONPATH": source,
            "HOME": str(scratch),
            "SNOWFLAKE_HOME": str(scratch),
            "PYTHONUTF8": "1",
        }
        with (folder / "workers.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-B", "-m", "snowcellar.procedures.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=scratch,
                env=environment,
                # Ctrl-C is for the server; workers end when their pipe closes.
                start_new_session=True,
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs and has not been told to end."""
        return not self._killed and self._process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether the process has been told to end from here."""
        return self._killed

    def prepare(self) -> None:
        """Have the process import Snowpark; returns at once when it has."""
        with self._lock:
            if not self._ready:
                setup = {
                    "modules": list(packages.modules(self.distributions)),
                    "namespaces": sorted(packages.NAMESPACES),
                    "memory_bytes": self.memory_bytes,
                }
                self._converse(setup, "a procedure", None)
                self._ready = True

    def add_imports(self, imports: ImportSet) -> None:
        """Put an import set on the process's path, once in its life."""
        self.imports = imports
        folder = str(imports.folder) if imports.folder else None
        self._converse({"imports": imports.paths, "folder": folder}, "a procedure", None)

    def call(self, name: str, message: dict[str, Any], deadline: float | None) -> dict[str, Any]:
        """Run one call and answer with what the worker says of it; TimedOut when it had to be killed."""
        return self._converse(message, name, deadline)

    def _converse(self, message: dict[str, Any], name: str, deadline: float | None) -> dict[str, Any]:
        with self._lock:
            try:
                self._channel.send(message)
                return self._channel.receive(deadline)
            except Closed as error:
                raise WorkerDied(name, self._how_it_ended()) from error
            except TimedOut:
                self.kill()
                raise

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "closed its pipe"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """End the process and let go of its pipe."""
        self.kill()
        self._process.wait()
        # A thread that still waits for an answer sees the pipe's end first.
        with self._lock:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
