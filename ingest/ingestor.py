"""The ingestor's loop: read, collect, load, tell.

One thread reads; another loads, one batch at a time (`ingest.loading`), so that the consumer group is
answered however slow the warehouse is. What is held has a bound: when it is reached the partitions rest.
Whatever happens, the truth is in the warehouse: rows and offsets move together, and reading begins where the
offsets say.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Final

from ingest.batch import MessagesInHand
from ingest.errors import FencedError, IngestError
from ingest.loader import warehouse_sink
from ingest.loading import BackgroundLoad, Loaded
from ingest.observer import BatchReport, Observer
from ingest.patience import until_done
from ingest.positions import OffsetReset, PartitionLog, StoredOffset, next_offsets, resets_needed
from ingest.settings import IngestSettings
from ingest.sink import Sink
from ingest.source import KafkaSource

log = logging.getLogger(__name__)

# How soon a stop or a full second is noticed while the topic is quiet.
_READ_SECONDS: Final = 0.1
# Partitions that rest lose what was fetched ahead of them, so a full buffer waits this long first.
_REST_AFTER_SECONDS: Final = 1.0
# After such a silence the offsets are compared with the logs: a topic made anew would be silent for ever.
_SILENCE_SECONDS: Final = 2.0
# How long another member waits for us to finish what is in hand of the partitions that it takes over.
_HAND_OVER_SECONDS: Final = 20.0
# A writer that is overtaken so often in a row is not in a group with the one who overtakes it.
_MOST_FENCED_IN_A_ROW: Final = 5


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
    observer: Observer | None = None,
    sink: Sink | None = None,
) -> IngestReport:
    """Ingest until `stop` is set, or until caught up if the settings say so.

    Stopping finishes what is in hand. Raises an IngestError when it cannot go on; what was committed stays,
    and the next run takes up from there.
    """
    ingestor = Ingestor(settings, sink or warehouse_sink(settings), stop or Event(), observer or Observer())
    try:
        return ingestor.run()
    finally:
        ingestor.close()


class Ingestor:
    """Owns the partitions it was given, the messages in hand and the position of each partition."""

    def __init__(self, settings: IngestSettings, sink: Sink, stop: Event, observer: Observer) -> None:
        self._settings = settings
        self._stop = stop
        self._observer = observer
        self._hand = MessagesInHand(settings.topic)
        self._loads = BackgroundLoad(sink, settings, observer)
        # What the warehouse has, and with what is on its way into it: the next batch starts there.
        self._stored: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._generations: dict[int, int] = {}
        self._identity: str | None = None
        self._must_rewind = False
        self._full_since: float | None = None
        self._fenced_in_a_row = 0
        self._begun = self._quiet_since = self._checked_at = time.monotonic()
        self._rows = self._batches = self._payload_bytes = 0
        try:
            self._source = KafkaSource(settings, self)
        except BaseException:
            self._loads.close()
            raise

    def run(self) -> IngestReport:
        if self._settings.until_caught_up:
            # Somebody waits for this run to end: a warehouse that is not there is told at once.
            self._loads.ask(lambda sink: sink.stored_offsets(self._settings.topic, {}))
        self._source.open()
        while not self._stop.is_set() and not self._is_done():
            self._turn()
        self._finish()
        return IngestReport(
            self._rows,
            self._batches,
            self._payload_bytes,
            time.monotonic() - self._begun,
            dict(self._stored),
        )

    def close(self) -> None:
        self._hand.clear()
        self._source.close()
        self._loads.close()

    # Called by the Kafka client, which must not be called back while we wait: so these wait plainly.

    def take_over(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Where to read on in partitions that are new to us: asked until warehouse and broker say it."""
        mine = tuple(partitions)
        offsets = until_done(lambda: self._look_up(mine), self._settings, self._stop, self._observer.retried)
        log.info("reading on from %s", offsets)
        self._tell_owned()
        return offsets

    def hand_over(self, partitions: Iterable[int]) -> None:
        """Partitions go to another member, which waits: finish what is in hand, if that goes quickly."""
        deadline = time.monotonic() + _HAND_OVER_SECONDS
        try:
            if self._await_load(deadline) and len(self._hand) and not self._must_rewind:
                self._send()
                self._await_load(deadline)
        except IngestError as error:
            log.warning("the batch in hand is left to the next owner: %s", error)
        self.lose(partitions)

    def lose(self, partitions: Iterable[int]) -> None:
        """Forget these partitions; what is in hand or on its way of the others is read again."""
        for partition in partitions:
            for known in (self._stored, self._sent, self._generations):
                known.pop(partition, None)
        if len(self._hand) or self._loads.batch is not None:
            self._give_up()
        self._tell_owned()

    def displaced(self, partition: int) -> None:
        """The log has nothing where we would read on: the positions are looked up anew, by the policy."""
        log.warning(
            "partition %s has nothing at offset %s: its log is looked at",
            partition,
            self._sent.get(partition),
        )
        self._must_rewind = True

    def _turn(self) -> None:
        """One turn of the loop: settle the load, send the next batch when it is due, read or rest."""
        self._settle()
        if self._must_rewind:
            self._rewind()
        else:
            if self._loads.batch is None and self._is_due():
                self._send()
            if self._is_full():
                self._wait_for_room()
            else:
                self._read()
        self._check()
        self._observer.turned()
        in_flight = self._loads.batch
        self._observer.buffered(
            self._hand.payload_bytes + (in_flight.payload_bytes if in_flight else 0),
            len(self._hand) + (in_flight.rows if in_flight else 0),
        )

    def _read(self) -> None:
        if self._full_since is not None:
            self._full_since = None
            self._observer.paused(frozenset())
        settings, hand = self._settings, self._hand
        # While a batch is on its way its answer is looked for often: the next one should not wait for it.
        seconds = _READ_SECONDS if self._loads.batch is None else _READ_SECONDS / 10
        messages = self._source.read(
            settings.batch_rows - len(hand), settings.batch_bytes - hand.payload_bytes, seconds
        )
        if self._must_rewind:
            # Partitions changed during the read: what it brought continues a batch that was given up.
            return
        for partition, times in hand.add(messages, self._sent).items():
            self._observer.repeated(partition, times)

    def _is_full(self) -> bool:
        hand, settings = self._hand, self._settings
        return len(hand) >= settings.batch_rows or hand.payload_bytes >= settings.batch_bytes

    def _wait_for_room(self) -> None:
        """Let the load under way end; when that takes long the partitions rest, and the group is answered."""
        now = time.monotonic()
        if self._full_since is None:
            self._full_since = now
        if now - self._full_since < _REST_AFTER_SECONDS and not self._loads.is_waiting_to_retry:
            self._loads.wait(_READ_SECONDS)
            return
        self._source.rest(_READ_SECONDS)
        self._observer.paused(self._source.resting)

    def _is_due(self) -> bool:
        is_old = self._hand.age_seconds >= self._settings.batch_seconds
        return bool(len(self._hand)) and (self._is_full() or is_old or self._is_at_end())

    def _is_at_end(self) -> bool:
        """Only where that ends the run, and not before the first partitions have come."""
        return self._settings.until_caught_up and bool(self._stored) and self._source.caught_up(self._stored)

    def _is_done(self) -> bool:
        is_idle = self._loads.batch is None and not len(self._hand) and not self._must_rewind
        return is_idle and self._is_at_end()

    def _send(self) -> None:
        """Send what is in hand on its way into the warehouse."""
        batch = self._hand.batch(self._sent, self._generations)
        self._loads.start(batch, self._hand.since)
        self._hand.clear()
        self._sent.update(batch.ends)

    def _settle(self) -> None:
        """Take note of the load that has ended, if one has."""
        try:
            loaded = self._loads.settle()
        except FencedError as error:
            self._fenced_in_a_row += 1
            if self._settings.assign or self._fenced_in_a_row > _MOST_FENCED_IN_A_ROW:
                raise
            log.warning("%s Reading goes on from the offsets that are stored now.", error)
            self._observer.fenced()
            self._give_up()
            return
        if loaded is not None:
            self._fenced_in_a_row = 0
            self._note(loaded)

    def _note(self, loaded: Loaded) -> None:
        """A batch is in the warehouse: now, and not before, it counts."""
        batch = loaded.batch
        self._rows += batch.rows
        self._batches += 1
        self._payload_bytes += batch.payload_bytes
        log.info("loaded %s rows, %s bytes in %.3f s", batch.rows, batch.payload_bytes, loaded.seconds)
        if not loaded.given_up:
            self._stored.update(batch.ends)
            self._source.report_progress(batch.ends)
        self._observer.batch_committed(
            BatchReport(
                batch.rows,
                batch.payload_bytes,
                loaded.seconds,
                loaded.batch_seconds,
                batch.ends,
                self._rows,
                batch.starts,
            )
        )
        for gap in batch.gaps:
            self._observer.gap_recorded(gap.partition, gap.offsets, gap.reason.value)
        self._tell_lags()

    def _await_load(self, deadline: float) -> bool:
        """Wait for the batch on its way; False when it is not in the warehouse by then."""
        while self._loads.batch is not None:
            if self._loads.is_waiting_to_retry or time.monotonic() > deadline:
                return False
            self._loads.wait(_READ_SECONDS)
            self._settle()
        return not self._must_rewind

    def _give_up(self) -> None:
        self._hand.clear()
        self._loads.give_up()
        self._must_rewind = True

    def _rewind(self) -> None:
        """Read again from what the warehouse holds, whatever became of the batches that were given up."""
        self._hand.clear()
        if self._loads.batch is not None:
            self._loads.give_up()
        if self._loads.batch is not None:
            # Its outcome decides the offsets; the group is answered meanwhile.
            self._source.rest(_READ_SECONDS)
            return
        self._must_rewind = False
        mine = tuple(self._stored)
        if not mine:
            return
        offsets = until_done(lambda: self._look_up(mine), self._settings, self._stop, self._observer.retried)
        log.info("reading again from %s", offsets)
        self._source.rewind(offsets)

    def _look_up(self, partitions: tuple[int, ...]) -> dict[int, int]:
        """Where to read on in these partitions, by the warehouse, by the broker's logs and by the policy."""
        logs = self._source.logs(partitions)
        stored, resets = self._loads.ask(lambda sink: self._stored_offsets(sink, logs))
        for reset in resets:
            for gap in reset.gaps:
                log.warning("partition %s: %s", reset.partition, gap)
                self._observer.gap_recorded(gap.partition, gap.offsets, gap.reason.value)
        offsets = next_offsets(stored)
        self._observer.offsets_read(offsets)
        self._stored.update(offsets)
        self._sent.update(offsets)
        self._generations.update({partition: offset.generation for partition, offset in stored.items()})
        self._identity = next((entry.topic_id for entry in logs.values()), self._identity)
        return offsets

    def _stored_offsets(
        self, sink: Sink, logs: Mapping[int, PartitionLog]
    ) -> tuple[dict[int, StoredOffset], list[OffsetReset]]:
        topic = self._settings.topic
        stored = sink.stored_offsets(topic, logs)
        resets = resets_needed(topic, stored, logs, self._settings.on_offset_reset)
        if resets:
            sink.reset_offsets(topic, resets)
            stored = sink.stored_offsets(topic, logs)
        return stored, resets

    def _check(self) -> None:
        """While nothing comes, compare positions with the logs; now and then, the topic with ours."""
        now = time.monotonic()
        if len(self._hand) or self._loads.batch is not None:
            self._quiet_since = now
        elif now - self._quiet_since > _SILENCE_SECONDS and not self._must_rewind:
            self._quiet_since = now
            self._source.check_ends(self._stored)
            self._tell_lags()
        if now - self._checked_at > self._settings.topic_check_seconds:
            self._checked_at = now
            self._check_topic()

    def _check_topic(self) -> None:
        try:
            self._source.take_new_partitions()
            identity = self._source.identity()
        except IngestError as error:
            if not error.transient:
                raise
            log.warning("the topic was not looked at: %s", error)
            return
        if identity and self._identity and identity != self._identity:
            log.warning("topic %s was made anew", self._settings.topic)
            self._must_rewind = True

    def _finish(self) -> None:
        """Load what is in hand before leaving; with the warehouse away it is left to the next run instead."""
        if self._must_rewind:
            return
        if len(self._hand):
            log.info("stopping: %s messages in hand are loaded first", len(self._hand))
        self._finish_load()
        if len(self._hand):
            self._send()
            self._finish_load()

    def _finish_load(self) -> None:
        while self._loads.batch is not None:
            if self._loads.is_waiting_to_retry and self._loads.last_error is not None:
                raise self._loads.last_error
            self._loads.wait(_READ_SECONDS)
            self._settle()

    def _tell_owned(self) -> None:
        self._observer.partitions_owned(frozenset(self._stored))

    def _tell_lags(self) -> None:
        for partition, messages in self._source.lags(self._stored).items():
            self._observer.lag(partition, messages)
