"""Trying again, for errors that say that it may help."""

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from ingest.errors import IngestError
from ingest.settings import IngestSettings

T = TypeVar("T")

log = logging.getLogger(__name__)


class Patience:
    """Repeats an action after a transient error, with growing pauses, until it works or a stop is asked."""

    def __init__(self, settings: IngestSettings, stop: Event) -> None:
        self._first = settings.retry_seconds
        self._longest = settings.retry_max_seconds
        self._give_up = settings.give_up_seconds
        self._stop = stop

    def until_done(self, action: Callable[[], T], wait: Callable[[float], object]) -> T:
        """The result of the action, once it succeeds; `wait` lets the time between two attempts pass.

        Raises the last error when it is terminal, when the time is over, and when a stop is asked for:
        somebody who wants to leave must not be held by a warehouse that is away.
        """
        begun, pause = time.monotonic(), self._first
        while True:
            try:
                return action()
            except IngestError as error:
                over = self._give_up and time.monotonic() - begun + pause > self._give_up
                if not error.transient or over or self._stop.is_set():
                    raise
                log.warning("%s Next attempt in %.1f s.", error, pause)
            wait(pause)
            pause = min(pause * 2, self._longest)
