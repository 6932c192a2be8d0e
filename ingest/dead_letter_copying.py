"""Rejected events copied to their topic beside a running ingestor, in a thread that it never waits for."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from ingest.dead_letters import dead_letters
from ingest.observer import BatchReport, Observer
from ingest.topics import create_topic

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 300.0
# An event is rejected by a task that runs within minutes of its load. After that there is nothing to look
# for, and a question every ten seconds would keep an idle warehouse awake.
_AFTER_BATCH_SECONDS: Final = 900.0
_LEAVE_SECONDS: Final = 10.0


class Copying(Observer):
    """Copies for a while after each batch, and at the start, for what the last run left."""

    def __init__(
        self, connection: str, config_file: Path | None, bootstrap: str, topic: str, look_seconds: float
    ) -> None:
        self._place = (connection, config_file, bootstrap, topic)
        self._look_seconds = look_seconds
        self._stop = Event()
        self._last_batch = time.monotonic()
        self._thread = Thread(target=self._run, name="dead-letters", daemon=True)

    def batch_committed(self, report: BatchReport) -> None:  # noqa: ARG002 - that there is one is enough
        self._last_batch = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave soon, whatever the broker and the warehouse do: what is not copied is for the next run."""
        self._stop.set()
        self._thread.join(_LEAVE_SECONDS)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = self._look_seconds if self._copy() else min(max(1.0, pause * 2), _LONGEST_PAUSE_SECONDS)
            while time.monotonic() - self._last_batch > _AFTER_BATCH_SECONDS and not self._stop.is_set():
                self._stop.wait(self._look_seconds)

    def _copy(self) -> bool:
        """One look; a failure is told and never more: the events stay where they are."""
        _, _, bootstrap, topic = self._place
        try:
            create_topic(bootstrap, topic, partitions=1)
            with dead_letters(*self._place, self._stop) as letters:
                copied = letters.publish_new()
        except Exception as error:
            if not self._stop.is_set():
                log.warning("rejected events are not copied to %s: %s It is tried again.", topic, error)
            return False
        if copied:
            log.info("copied %s rejected events to %s", copied, topic)
        return True


@contextmanager
def copying(
    connection: str,
    config_file: Path | None,
    bootstrap: str,
    topic: str,
    look_seconds: float = _LOOK_SECONDS,
) -> Iterator[Copying]:
    """While the block runs; it is to be told of each batch."""
    thread = Copying(connection, config_file, bootstrap, topic, look_seconds)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
