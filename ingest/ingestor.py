"""The ingestor's loop: read, collect, load, tell.

One thread does all of it. While a batch is being loaded nothing is read, and librdkafka fetches no more
than its own bound, so a slow warehouse costs time and never memory. Whatever happens, the truth is in the
warehouse: rows and offsets move together, and reading begins where the offsets say.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Final

from ingest.batch import Batch, MessagesInHand
from ingest.errors import IngestError
from ingest.loader import warehouse_sink
from ingest.observer import BatchReport
from ingest.patience import Patience
from ingest.settings import IngestSettings
from ingest.sink import Sink
from ingest.source import KafkaSource

log = logging.getLogger(__name__)

# How soon a stop or a full second is noticed while the topic is quiet.
_READ_SECONDS: Final = 0.1
# After such a silence the offsets are compared with the logs: a topic made anew would be silent for ever.
_SILENCE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class IngestReport:
    """What one run of the ingestor loaded."""

    rows: int
    batches: int
    payload_bytes: int
    seconds: float
    next_offsets: Mapping[int, int]


def run(
    settings: IngestSettings,
    stop: Event | None = None,
    on_batch: Callable[[BatchReport], None] | None = None,
    sink: Sink | None = None,
) -> IngestReport:
    """Ingest until `stop` is set, or until caught up if the settings say so.

    Stopping finishes the batch in hand. Raises an IngestError when it cannot go on; what was committed
    stays, and the next run takes up from there.
    """
    ingestor = Ingestor(settings, sink or warehouse_sink(settings), stop or Event(), on_batch)
    try:
        return ingestor.run()
    finally:
        ingestor.close()


class Ingestor:
    """Owns the partitions it was given, the messages in hand and the position of each partition."""

    def __init__(
        self,
        settings: IngestSettings,
        sink: Sink,
        stop: Event,
        on_batch: Callable[[BatchReport], None] | None = None,
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._stop = stop
        self._on_batch = on_batch
        self._hand = MessagesInHand(settings.topic)
        self._stored: dict[int, int] = {}
        self._loading = False
        self._must_rewind = False
        self._begun = self._quiet_since = time.monotonic()
        self._rows = self._batches = self._payload_bytes = 0
        self._patience = Patience(settings, stop)
        self._source = KafkaSource(settings, self)

    def run(self) -> IngestReport:
        if self._settings.until_caught_up:
            # Somebody waits for this run to end: a warehouse that is not there is told at once.
            self._sink.stored_offsets(self._settings.topic, {})
        self._source.open()
        while not self._stop.is_set():
            if self._must_rewind:
                self._rewind()
            messages = self._source.read(self._room(), _READ_SECONDS)
            if self._must_rewind:
                # Partitions changed during the read: what it brought continues a batch that was given up.
                continue
            self._hand.add(messages, self._stored)
            caught_up = not messages and self._is_caught_up()
            if self._is_due() or (caught_up and len(self._hand)):
                self._load()
            if caught_up and not self._must_rewind:
                break
            self._check_silence()
        self._finish()
        return self._report()

    def close(self) -> None:
        self._hand.clear()
        self._source.close()
        self._sink.close()

    def take_over(self, beginnings: Mapping[int, int]) -> Mapping[int, int]:
        # Called by the Kafka client, which must not be called back while we wait: so a plain wait.
        ask = partial(self._sink.stored_offsets, self._settings.topic, beginnings)
        offsets = self._patience.until_done(ask, self._stop.wait)
        self._stored.update(offsets)
        log.info("reading on from %s", offsets)
        return offsets

    def hand_over(self, partitions: Iterable[int]) -> None:
        if len(self._hand) and not self._loading:
            try:
                self._load_once(self._hand.batch(self._stored))
            except IngestError as error:
                log.warning("the batch in hand is left to the next owner: %s", error)
        self.lose(partitions)

    def lose(self, partitions: Iterable[int]) -> None:
        """Forget these partitions; what is in hand of the others is read again."""
        for partition in partitions:
            self._stored.pop(partition, None)
        if len(self._hand):
            self._hand.clear()
            self._must_rewind = True

    def _room(self) -> int:
        return max(1, self._settings.batch_rows - len(self._hand))

    def _is_due(self) -> bool:
        settings, hand = self._settings, self._hand
        return bool(len(hand)) and (
            len(hand) >= settings.batch_rows
            or hand.payload_bytes >= settings.batch_bytes
            or hand.age_seconds >= settings.batch_seconds
        )

    def _is_caught_up(self) -> bool:
        """Only where that ends the run, and not before the first partitions have come."""
        return self._settings.until_caught_up and bool(self._stored) and self._source.caught_up(self._stored)

    def _check_silence(self) -> None:
        """Compare the stored offsets with the logs, now and then, while nothing comes."""
        now = time.monotonic()
        if len(self._hand):
            self._quiet_since = now
        elif now - self._quiet_since > _SILENCE_SECONDS:
            self._quiet_since = now
            self._source.check_range(self._stored)

    def _finish(self) -> None:
        """Load what is in hand before leaving; with the warehouse away it is left to the next run instead."""
        if len(self._hand) and not self._must_rewind:
            log.info("stopping: %s messages in hand are loaded first", len(self._hand))
            self._load()

    def _load(self) -> None:
        """Load what is in hand, waiting for the warehouse as long as the settings allow."""
        batch = self._hand.batch(self._stored)
        self._loading = True
        try:
            self._patience.until_done(partial(self._load_once, batch), self._wait_for_warehouse)
        except _BatchGivenUpError:
            log.warning("partitions changed while the warehouse was away: %s rows are read again", batch.rows)
        finally:
            self._loading = False

    def _load_once(self, batch: Batch) -> None:
        begun = time.monotonic()
        self._sink.load(batch)
        self._hand.clear()
        self._stored.update(batch.ends)
        self._rows += batch.rows
        self._batches += 1
        self._payload_bytes += batch.payload_bytes
        seconds = time.monotonic() - begun
        log.info("loaded %s rows, %s bytes in %.3f s", batch.rows, batch.payload_bytes, seconds)
        self._source.report_progress(batch.ends)
        if self._on_batch is not None:
            self._on_batch(
                BatchReport(batch.rows, batch.payload_bytes, seconds, seconds, batch.ends, self._rows)
            )

    def _wait_for_warehouse(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._stop.is_set():
            self._source.wait(min(left, _READ_SECONDS))
            if self._must_rewind:
                raise _BatchGivenUpError

    def _rewind(self) -> None:
        """Read again from what the warehouse holds, whatever became of the batch that was given up."""
        ask = partial(self._sink.stored_offsets, self._settings.topic, dict.fromkeys(self._stored, 0))
        self._stored = self._patience.until_done(ask, self._stop.wait)
        self._must_rewind = False
        self._source.rewind(self._stored)

    def _report(self) -> IngestReport:
        seconds = time.monotonic() - self._begun
        return IngestReport(self._rows, self._batches, self._payload_bytes, seconds, dict(self._stored))


class _BatchGivenUpError(Exception):
    """The partitions of the batch in hand are no longer all ours."""
