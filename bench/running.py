"""The pipeline running on this machine: what benches of the ingest fill and empty, or have run as it does."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import memory
from caves_snowpark.names import KAFKA_OFFSETS, RAW_EVENTS, ROOT_TASK
from ingest.connections import connect

CAVES: Final = Path(sys.executable).with_name("caves")


@dataclass(frozen=True)
class Running:
    """Where it is: its folder, its connection file, the broker, and the warehouse's port and process."""

    folder: Path
    config: Path
    bootstrap: str
    warehouse_port: int
    warehouse_pid: int

    def ask(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last of some statements."""
        connection = connect("local", self.config)
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
        finally:
            connection.close()

    def empty(self) -> None:
        """RAW as if nothing had ever been loaded."""
        self.ask(f"DELETE FROM {RAW_EVENTS}", f"DELETE FROM {KAFKA_OFFSETS}")

    def check(self, events: int) -> None:
        """Every event of a topic is in RAW once, by its coordinates; else no figure counts."""
        place = "CONCAT(EVENT_METADATA:partition::VARCHAR, '/', EVENT_METADATA:offset::VARCHAR)"
        found = self.ask(f"SELECT COUNT(*), COUNT(DISTINCT {place}) FROM {RAW_EVENTS}")
        if found != [(events, events)]:
            raise SystemExit(f"RAW has {found[0]} rows and coordinates, not {events:,}: no figure counts")


@contextmanager
def running(minute_seconds: float | None = None) -> Iterator[Running]:
    """From `caves up` to `caves down`, in a folder that is gone afterwards.

    minute_seconds: how long a MINUTE lasts for the tasks; without it they are suspended.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _caves(folder, "up", "--minute", str(minute_seconds or 60))
        try:
            state = json.loads((folder / ".caves/state.json").read_text())
            process = {entry["name"]: entry for entry in state["processes"]}
            for entry in process.values():
                memory.include(entry["pid"])
            found = Running(
                folder,
                folder / ".caves/config.toml",
                f"127.0.0.1:{process['broker']['port']}",
                process["warehouse"]["port"],
                process["warehouse"]["pid"],
            )
            if minute_seconds is None:
                found.ask(f"ALTER TASK {ROOT_TASK} SUSPEND")
            yield found
        finally:
            _caves(folder, "down")


def _caves(folder: Path, *arguments: str) -> None:
    done = subprocess.run([str(CAVES), *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
