"""Trying again, for errors that say that it may help."""

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from ingest.errors import IngestError
from ingest.observer import Observer
from ingest.settings import IngestSettings

T = TypeVar("T")

log = logging.getLogger(__name__)


class Patience:
    """Growing pauses between attempts, and the moment when to try no more."""

    def __init__(self, settings: IngestSettings) -> None:
        self._first = settings.retry_seconds
        self._longest = settings.retry_max_seconds
        self._give_up = settings.give_up_seconds
        self.begin()

    def begin(self) -> None:
        """A new action: the pauses are short again."""
        self._begun, self._pause = time.monotonic(), self._first

    def pause_after(self, error: IngestError) -> float | None:
        """Seconds until the next attempt; None when the error is terminal or the time is over."""
        pause = self._pause
        over = self._give_up and time.monotonic() - self._begun + pause > self._give_up
        if not error.transient or over:
            return None
        self._pause = min(pause * 2, self._longest)
        return pause


def until_done(
    action: Callable[[], T],
    settings: IngestSettings,
    stop: Event,
    observer: Observer,
) -> T:
    """The result of the action, once it succeeds.

    Raises the last error when it is terminal, when the time is over, and when a stop is asked for: somebody
    who wants to leave must not be held by a warehouse that is away.
    """
    patience = Patience(settings)
    while True:
        try:
            return action()
        except IngestError as error:
            pause = patience.pause_after(error)
            if pause is None or stop.is_set():
                raise
            observer.retried(error)
            log.debug("next attempt in %.1f s", pause)
        stop.wait(pause)
