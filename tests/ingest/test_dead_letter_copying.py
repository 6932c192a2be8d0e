"""Copying beside the ingestor: it begins by itself, bears any failure and never holds the end up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ingest import dead_letter_copying
from ingest.dead_letter_copying import copying
from ingest.errors import DeadLettersRefused


class Letters:
    """Fails as often as it is told, then copies."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.looked = 0
        self.copied = Event()

    def publish_new(self) -> int:
        self.looked += 1
        if self.failures:
            raise self.failures.pop(0)
        self.copied.set()
        return 1


def test_it_copies_at_the_start_and_again_after_any_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Letters(DeadLettersRefused("dead", 1, "no"), RuntimeError("a fault of ours"))

    @contextmanager
    def opened(*_: Any) -> Iterator[Letters]:
        yield letters

    monkeypatch.setattr(dead_letter_copying, "dead_letters", opened)
    monkeypatch.setattr(dead_letter_copying, "create_topic", lambda *_, **__: True)
    with copying("local", None, "unused", "dead", look_seconds=0.01):
        assert letters.copied.wait(60)
    assert letters.looked >= 3


def test_a_broker_that_is_away_does_not_hold_the_end_up() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with copying("local", Path("none"), address, "dead") as copies:
        pass
    # It grants itself ten seconds; the thread ends by itself, or with the process.
    assert copies._stop.is_set()
