"""`caves ingest` as a process, the way a service runs it, and what may happen to a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Longer than the session timeout of the ingestor's consumer: a member that is silent for so long is put out
# of its group, and its partitions are given to the others.
PAST_THE_SESSION_TIMEOUT_SECONDS: Final = 8.0
_STOP_SECONDS: Final = 60


@dataclass(frozen=True)
class IngestCommand:
    """What the ingestors of one group have in common."""

    bootstrap: str
    topic: str
    config_file: Path
    group: str
    batch_seconds: float = 0.3
    flags: Sequence[str] = ()
    # What Python is to run; a test of the tests gives a program that does it wrong.
    program: Sequence[str] = ("-m", "caves_cli.main")

    @property
    def words(self) -> list[str]:
        command = [sys.executable, "-W", "ignore", *self.program, "ingest", "-c", "local"]
        command += ["--config-file", str(self.config_file), "--bootstrap", self.bootstrap]
        command += [
            "--topic",
            self.topic,
            "--group",
            self.group,
            "--batch-seconds",
            f"{self.batch_seconds:g}",
        ]
        return [*command, *self.flags]


@dataclass
class Ingestor:
    """One process; its output is in `log`, one run after the other."""

    command: IngestCommand
    log: Path
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command.words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Logs are to be whole after kill -9.
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def ask_to_stop(self) -> None:
        """SIGTERM: it finishes the batch in hand and leaves its group."""
        self._signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to stop, and its exit code when it has."""
        self.ask_to_stop()
        return self.wait()

    def wait(self, seconds: float = _STOP_SECONDS) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        """kill -9, also of one that sleeps."""
        self._signal(signal.SIGKILL)
        self.wait()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            assert self._process is not None
            self._process.send_signal(number)
