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

from ingest.assignment import Assignment
from ingest.batch import MessagesInHand
from ingest.errors import FencedError, IngestError
from ingest.loader import warehouse_sink
from ingest.loading import BackgroundLoad, Loaded
from ingest.observer import BatchReport, Observer
from ingest.patience import until_done
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
_LAGS_EVERY_SECONDS: Final = 1.0
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
    """Owns the messages in hand, the load on its way, and the partitions that it was given."""

    def __init__(self, settings: IngestSettings, sink: Sink, stop: Event, observer: Observer) -> None:
        self._settings = settings
        self._stop = stop
        self._observer = observer
        self._hand = MessagesInHand(settings.topic)
        self._loads = BackgroundLoad(sink, settings, observer)
        self._ours = Assignment(settings, self._loads, observer)
        self._must_rewind = False
        self._is_displaced = False
        self._full_since: float | None = None
        self._fenced_in_a_row = 0
        self._begun = self._quiet_since = self._checked_at = self._lags_told_at = time.monotonic()
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
        seconds = time.monotonic() - self._begun
        return IngestReport(self._rows, self._batches, self._payload_bytes, seconds, dict(self._ours.stored))

    def close(self) -> None:
        self._hand.clear()
        self._source.close()
        self._loads.close()

    # The next four are called by the Kafka client from within a read. It must not be called back while we
    # wait, so they wait plainly.

    def take_over(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Where to read on in partitions that are new to us: asked until warehouse and broker say it."""
        return self._look_up(tuple(partitions))

    def hand_over(self, partitions: Iterable[int]) -> None:
        """Partitions go to another member, which waits: finish what is in hand, if that goes quickly."""
        deadline = time.monotonic() + _HAND_OVER_SECONDS
        try:
            if self._await_load(deadline) and len(self._hand):
                self._send()
                self._await_load(deadline)
        except IngestError as error:
            log.warning("the batch in hand is left to the next owner: %s", error)
            # Part of it may be of partitions that stay ours.
            self._give_up()
        self.lose(partitions)

    def lose(self, partitions: Iterable[int]) -> None:
        """Forget these partitions; what is in hand or on its way of the others is read again."""
        self._ours.forget(partitions)
        if len(self._hand) or self._loads.batch is not None:
            self._give_up()

    def displaced(self, partition: int) -> None:
        """The log has nothing where we would read on: positions are looked up anew, by the policy."""
        log.warning("nothing to read at partition %s, offset %s", partition, self._ours.sent.get(partition))
        self._is_displaced = True

    def _turn(self) -> None:
        """One turn of the loop: settle the load, send the next batch when it is due, read or rest."""
        self._settle()
        if self._must_rewind:
            self._rewind()
        elif self._is_displaced:
            self._load_what_was_read()
        else:
            if self._loads.batch is None and self._is_due():
                self._send()
            if self._is_full():
                self._wait_for_room()
            else:
                self._read()
        self._check()
        self._tell_turn()

    def _load_what_was_read(self) -> None:
        """What was read before the log moved on is good, and may be had nowhere else: it goes first."""
        if self._loads.batch is not None:
            self._source.rest(_READ_SECONDS)
        elif len(self._hand):
            self._send()
        else:
            self._must_rewind = True

    def _read(self) -> None:
        if self._full_since is not None:
            self._full_since = None
            self._observer.paused(frozenset())
        settings, hand = self._settings, self._hand
        # While a batch is on its way its answer is looked for often: the next one should not wait for it.
        seconds = _READ_SECONDS if self._loads.batch is None else _READ_SECONDS / 10
        messages = self._source.read(
            settings.batch_rows - len(hand), settings.batch_bytes - hand.held_bytes, seconds
        )
        if self._must_rewind:
            # Partitions changed during the read: what it brought continues a batch that was given up.
            return
        for partition, times in hand.add(messages, self._ours.sent).items():
            self._observer.repeated(partition, times)

    def _is_full(self) -> bool:
        hand, settings = self._hand, self._settings
        return len(hand) >= settings.batch_rows or hand.held_bytes >= settings.batch_bytes

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
        partitions = self._ours.partitions
        return self._settings.until_caught_up and bool(partitions) and self._source.caught_up(partitions)

    def _is_done(self) -> bool:
        is_settled = not self._must_rewind and not self._is_displaced
        is_idle = self._loads.batch is None and not len(self._hand) and is_settled
        return is_idle and self._is_at_end()

    def _send(self) -> None:
        """Send what is in hand on its way into the warehouse, if it is of the topic that we know."""
        try:
            if self._is_made_anew():
                return
        except IngestError as error:
            # From a broker that cannot say so nothing of a new log has come either.
            log.debug("the topic was not looked at: %s", error)
        batch = self._hand.batch(self._ours.sent, self._ours.generations)
        self._loads.start(batch, self._hand.since)
        self._hand.clear()
        self._ours.send(batch)

    def _settle(self) -> None:
        """Take note of the load that has ended, if one has."""
        try:
            loaded = self._loads.settle()
        except FencedError as error:
            self._fenced_in_a_row += 1
            if self._settings.assign or self._fenced_in_a_row > _MOST_FENCED_IN_A_ROW:
                raise
            log.info("%s Reading goes on from the offsets that are stored now.", error)
            self._observer.fenced(error)
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
        if not loaded.given_up:
            self._ours.store(batch)
            self._source.report_progress(batch.ends)
        self._tell_lags()
        report = BatchReport(
            rows=batch.rows,
            payload_bytes=batch.payload_bytes,
            seconds=loaded.seconds,
            batch_seconds=loaded.batch_seconds,
            next_offsets=batch.ends,
            total_rows=self._rows,
            first_offsets=batch.starts,
        )
        self._observer.batch_committed(report)
        for gap in batch.gaps:
            self._observer.gap_recorded(gap.partition, gap.offsets, gap.reason.value)

    def _await_load(self, deadline: float) -> bool:
        """Wait for the batch on its way; False when it is not in the warehouse by then."""
        while self._loads.batch is not None:
            if self._loads.is_waiting_to_retry or time.monotonic() > deadline:
                return False
            self._loads.wait(_READ_SECONDS)
            self._settle()
        return not self._must_rewind

    def _give_up(self) -> None:
        """What is in hand and on its way continues something that no longer holds: read it again."""
        self._hand.clear()
        self._loads.give_up()
        self._must_rewind = True

    def _rewind(self) -> None:
        """Read again from what the warehouse holds, whatever became of the batches that were given up."""
        self._give_up()
        if self._loads.batch is not None:
            # Its outcome decides the offsets; the group is answered meanwhile.
            self._source.rest(_READ_SECONDS)
            return
        self._must_rewind = self._is_displaced = False
        if partitions := tuple(self._ours.partitions):
            self._source.rewind(self._look_up(partitions))

    def _look_up(self, partitions: tuple[int, ...]) -> dict[int, int]:
        return until_done(
            lambda: self._ours.look_up(self._source, partitions), self._settings, self._stop, self._observer
        )

    def _check(self) -> None:
        """While nothing comes, compare positions with the logs; now and then, the topic with ours."""
        now = time.monotonic()
        if len(self._hand) or self._loads.batch is not None:
            self._quiet_since = now
        elif now - self._quiet_since > _SILENCE_SECONDS and not self._must_rewind:
            self._quiet_since = now
            self._source.check_ends(self._ours.stored)
        if now - self._lags_told_at > _LAGS_EVERY_SECONDS:
            # Also while the warehouse is away, when nothing else would tell that the lag grows.
            self._lags_told_at = now
            self._tell_lags()
        if now - self._checked_at > self._settings.topic_check_seconds:
            self._checked_at = now
            self._check_topic()

    def _check_topic(self) -> None:
        try:
            self._source.take_new_partitions()
            self._is_made_anew()
        except IngestError as error:
            if not error.transient:
                raise
            log.warning("the topic was not looked at: %s", error)

    def _is_made_anew(self) -> bool:
        """Whether what was read last may be of another log than the one whose offsets we move.

        Where the new log is the longer one the client reads on in it without a word.
        """
        if not self._ours.is_of_another_topic(self._source.identity()):
            return False
        log.warning("topic %s was made anew", self._settings.topic)
        self._must_rewind = True
        return True

    def _finish(self) -> None:
        """Load what is in hand before leaving; with the warehouse away it is left to the next run instead."""
        if self._must_rewind:
            return
        self._finish_load()
        if len(self._hand) and not self._must_rewind:
            log.info("stopping: %s messages in hand are loaded first", len(self._hand))
            self._send()
            self._finish_load()

    def _finish_load(self) -> None:
        while self._loads.batch is not None:
            if self._loads.last_error is not None and self._loads.is_waiting_to_retry:
                raise self._loads.last_error
            self._loads.wait(_READ_SECONDS)
            self._settle()

    def _tell_turn(self) -> None:
        in_flight = self._loads.batch
        self._observer.turned()
        self._observer.buffered(
            self._hand.held_bytes + (in_flight.held_bytes if in_flight else 0),
            len(self._hand) + (in_flight.rows if in_flight else 0),
        )

    def _tell_lags(self) -> None:
        for partition, messages in self._source.lags(self._ours.stored).items():
            self._observer.lag(partition, messages)
