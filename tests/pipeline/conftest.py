"""The pipeline on this machine: real broker, real warehouse, and what the real snow CLI deployed."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli import connection, deploy, local, overview
from caves_cli.connection import Target
from caves_cli.snow import ENVIRONMENT
from caves_cli.state import State, StateFolder
from ingest.ingestor import run as ingest
from ingest.producer import produce
from ingest.settings import IngestSettings, ProducerSettings
from ingest.truth import Truth
from tests.pipeline.template import copy_deployed

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
# Nothing here takes longer on two busy cores; past it, something hangs.
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Pipeline:
    """A deployed pipeline with a broker of its own."""

    folder: StateFolder
    state: State
    target: Target

    def produce(self, events: int, **changes: Any) -> Truth:
        settings = ProducerSettings(
            bootstrap=self.state.bootstrap or "", topic=self.state.topic, events=events, **changes
        )
        return produce(settings).truth

    def ingest(self) -> int:
        """Load everything that is in the topic; how many rows that was."""
        settings = IngestSettings(
            bootstrap=self.state.bootstrap or "",
            connection="local",
            config_file=self.folder.config_file,
            topic=self.state.topic,
            assign=True,
            until_caught_up=True,
        )
        return ingest(settings).rows

    def deploy(self, root: Path = ROOT) -> None:
        deploy.deploy(self.target, root, log.debug)

    def snow(self, sql: str) -> Any:
        """The answer of the real `snow sql`, one list of rows for each statement."""
        done = subprocess.run(
            [
                *(Path(sys.executable).parent / "snow", "--config-file", self.folder.config_file),
                *("sql", "-c", "local", "--format", "json", "-i"),
            ],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **ENVIRONMENT},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def drain(self) -> None:
        """Wait until the scheduled tasks have nothing left to do."""
        with self.target.open() as session:
            wait_until(lambda: not any(overview.rows_waiting(session).values()))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.3)


def start(factory: pytest.TempPathFactory, name: str, minute_seconds: float) -> Iterator[Pipeline]:
    """A pipeline of its own, on a copy of a deployed warehouse."""
    folder = StateFolder(factory.mktemp(name))
    copy_deployed(factory, folder)
    running = local.start(folder, minute_seconds=minute_seconds, port=0)
    try:
        yield Pipeline(folder, running, connection.target("local", folder.config_file))
    finally:
        local.stop(folder)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline whose scheduler ticks every second. A module has its own, so files run in any order."""
    yield from start(tmp_path_factory, "caves", minute_seconds=1)


@pytest.fixture(scope="module")
def still_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline whose tasks run only when a test says so."""
    yield from start(tmp_path_factory, "still", minute_seconds=3600)


@pytest.fixture(scope="module")
def truth(pipeline: Pipeline) -> Truth:
    """4,000 events that have flowed through, more of them broken, repeated or corrected than is usual."""
    sent = pipeline.produce(4_000, bad_share=0.03, duplicate_share=0.05, correction_share=0.05)
    assert pipeline.ingest() == sent.events_produced
    pipeline.drain()
    return sent


@pytest.fixture
def session(pipeline: Pipeline) -> Iterator[SnowflakeConnection]:
    with pipeline.target.open() as opened:
        yield opened
