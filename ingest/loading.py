"""One batch at a time on its way into the warehouse, in a thread of its own, while the next one is read."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from ingest.batch import Batch
from ingest.errors import IngestError
from ingest.observer import Observer
from ingest.patience import Patience
from ingest.settings import IngestSettings
from ingest.sink import Sink

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A batch that is in the warehouse, and how long that took."""

    batch: Batch
    seconds: float
    batch_seconds: float
    # Its partitions changed meanwhile: it is loaded all the same, and positions are read anew.
    given_up: bool


class BackgroundLoad:
    """Owns the sink: whatever is asked of it runs in one thread, one thing after the other.

    A load that fails for a reason that may pass is started again by `settle`, so the thread that reads stays
    free to answer the consumer group between two attempts.
    """

    def __init__(self, sink: Sink, settings: IngestSettings, observer: Observer) -> None:
        self._sink = sink
        self._settings = settings
        self._observer = observer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
        self._batch: Batch | None = None
        self._attempt: Future[None] | None = None
        self._given_up = False
        self._since = self._begun = self._retry_at = 0.0
        self._patience = Patience(settings)
        self._last_error: IngestError | None = None

    @property
    def batch(self) -> Batch | None:
        """The batch on its way."""
        return self._batch

    @property
    def is_waiting_to_retry(self) -> bool:
        return self._batch is not None and self._attempt is None

    @property
    def last_error(self) -> IngestError | None:
        """Why the batch on its way is not in the warehouse yet."""
        return self._last_error

    def start(self, batch: Batch, since: float) -> None:
        """Send a batch on its way; `since` is when its first message came."""
        self._batch, self._since, self._given_up = batch, since, False
        self._begun = time.monotonic()
        self._patience.begin()
        self._last_error = None
        self._attempt = self._thread.submit(self._sink.load, batch)

    def settle(self) -> Loaded | None:
        """The batch, once it is in the warehouse; None while it is not. Starts the next attempt when due.

        Raises the error that ends the attempts: one that repeating cannot help, or the last one when the time
        is over. The batch is no longer on its way then.
        """
        if self._batch is None:
            return None
        if self._attempt is None:
            if time.monotonic() >= self._retry_at:
                self._attempt = self._thread.submit(self._sink.load, self._batch)
            return None
        if not self._attempt.done():
            return None
        attempt, self._attempt = self._attempt, None
        try:
            attempt.result()
        except IngestError as error:
            self._fail(error)
            return None
        now = time.monotonic()
        loaded = Loaded(self._batch, now - self._begun, now - self._since, self._given_up)
        self._batch = None
        return loaded

    def wait(self, seconds: float) -> None:
        """Let time pass until the attempt ends, or the time is over."""
        if self._attempt is not None:
            wait([self._attempt], seconds)

    def give_up(self) -> None:
        """Try no more. An attempt that is under way goes on to its end, which `settle` still tells."""
        self._given_up = True
        if self._attempt is None:
            self._batch = None

    def ask(self, question: Callable[[Sink], T]) -> T:
        """The sink's answer, after whatever it is doing now."""
        return self._thread.submit(question, self._sink).result()

    def close(self) -> None:
        """Close the sink, after an attempt under way: it ends within the connection's timeouts."""
        self._thread.submit(self._sink.close)
        self._thread.shutdown(wait=True)

    def _fail(self, error: IngestError) -> None:
        if self._given_up:
            log.warning("the batch that was given up is not in the warehouse: %s", error)
            self._batch = None
            return
        pause = self._patience.pause_after(error)
        if pause is None:
            self._batch = None
            raise error
        self._last_error = error
        self._retry_at = time.monotonic() + pause
        self._observer.retried(error)
        log.debug("next attempt in %.1f s", pause)
