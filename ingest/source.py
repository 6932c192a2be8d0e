"""The Kafka side: partitions come and go, messages are read, the log's bounds are watched.

The warehouse says where to begin; Kafka's own committed offsets are written for lag monitors and never read.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from ingest.errors import BrokerUnreachable, IngestError, KafkaFailed, OffsetOutOfRange, TopicMissing
from ingest.settings import IngestSettings
from ingest.topics import METADATA_TIMEOUT_SECONDS, client_settings, kafka_log, topic_partitions

log = logging.getLogger(__name__)

# Loading a batch may take this long before the group gives our partitions to another member.
_MAX_POLL_MS: Final = 600_000
_SESSION_MS: Final = 6_000
# Messages asked for at a time; the byte bound of a batch is checked in between.
READ_CHUNK: Final = 1_000

_TOPIC_GONE: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})
_OUT_OF_RANGE: Final = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})


class PartitionOwner(Protocol):
    """Who is told when partitions come and go. Called from within `KafkaSource.read` and `wait`."""

    def take_over(self, beginnings: Mapping[int, int]) -> Mapping[int, int]:
        """Partitions come, with the beginnings of their logs; the answer is where to read on."""
        ...

    def hand_over(self, partitions: Iterable[int]) -> None:
        """Partitions go to another member, which waits for us: finish what is in hand."""
        ...

    def lose(self, partitions: Iterable[int]) -> None:
        """Partitions are gone already: drop what is in hand of them."""
        ...


class KafkaSource:
    """A consumer of one topic, by group membership or of all partitions at once."""

    def __init__(self, settings: IngestSettings, owner: PartitionOwner) -> None:
        self._settings = settings
        self._owner = owner
        self._held: list[Message] = []
        self._failure: Exception | None = None
        self._paused = False
        self._at_end: set[int] = set()
        # Asked before there is a consumer, which would go on logging that nobody answers.
        self._partitions = topic_partitions(settings.bootstrap, settings.topic)
        self._consumer = Consumer(_consumer_settings(settings), logger=kafka_log)

    def open(self) -> None:
        """Begin to consume."""
        if self._settings.assign:
            self._consumer.assign(self._positions(self._partitions))
            return
        self._consumer.subscribe(
            [self._settings.topic],
            on_assign=self._guarded(self._on_assign),
            on_revoke=self._guarded(self._on_revoke),
            on_lost=self._guarded(self._on_lost),
        )

    def read(self, most: int, timeout_seconds: float) -> list[Message]:
        """Up to `most` messages; fewer, or none, when the time is over."""
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False
        held, self._held = self._held, []
        received = held or self._consumer.consume(min(most, READ_CHUNK), timeout_seconds)
        self._raise_failure()
        messages = [message for message in received if message.error() is None]
        if self._at_end:
            self._at_end.difference_update(message.partition() or 0 for message in messages)
        if len(messages) < len(received):
            for message in received:
                self._judge(message)
        return messages

    def caught_up(self, partitions: Iterable[int]) -> bool:
        """Whether the last thing heard of each partition is that its log has no more."""
        return self._at_end.issuperset(partitions)

    def wait(self, seconds: float) -> None:
        """Let time pass without reading on, while the group still sees us alive: the warehouse is away."""
        # Each time anew: partitions that came in the meantime must rest too.
        self._consumer.pause(self._consumer.assignment())
        self._paused = True
        message = self._consumer.poll(seconds)
        if message is not None:
            self._held.append(message)
        self._raise_failure()

    def rewind(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions again from these offsets."""
        self._held = []
        self._at_end.clear()
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(self._settings.topic, partition, offset))

    def check_range(self, offsets: Mapping[int, int]) -> None:
        """OffsetOutOfRange when one lies beyond its log, by what the latest fetches said of it.

        Apache Kafka reports such an offset by itself. The embedded broker stays silent, and what it says when
        asked for the end of a log is too low; only the end that comes along with a fetch is right.
        """
        for partition, offset in offsets.items():
            place = TopicPartition(self._settings.topic, partition)
            low, high = self._consumer.get_watermark_offsets(place, cached=True)
            if 0 <= high < offset:
                raise OffsetOutOfRange(self._settings.topic, partition, offset, low, high)

    def report_progress(self, offsets: Mapping[int, int]) -> None:
        """Tell Kafka how far we are, for lag monitors. Nothing depends on it, so a failure is only noted."""
        try:
            self._consumer.commit(offsets=self._with_offsets(offsets), asynchronous=True)
        except KafkaException as error:
            log.warning("progress was not told to Kafka: %s", error.args[0].str())

    def close(self) -> None:
        self._consumer.close()

    def _on_assign(self, partitions: list[TopicPartition]) -> None:
        log.info("assigned partitions %s", [part.partition for part in partitions])
        self._consumer.incremental_assign(self._positions([part.partition for part in partitions]))

    def _on_revoke(self, partitions: list[TopicPartition]) -> None:
        log.info("revoked partitions %s", [part.partition for part in partitions])
        self._owner.hand_over([part.partition for part in partitions])
        self._consumer.incremental_unassign(partitions)

    def _on_lost(self, partitions: list[TopicPartition]) -> None:
        log.warning("lost partitions %s", [part.partition for part in partitions])
        self._owner.lose([part.partition for part in partitions])
        self._consumer.incremental_unassign(partitions)

    def _positions(self, partitions: Iterable[int]) -> list[TopicPartition]:
        beginnings = {partition: self._bounds(partition)[0] for partition in partitions}
        offsets = self._owner.take_over(beginnings)
        for partition, offset in offsets.items():
            if offset < beginnings[partition]:
                low, high = self._bounds(partition)
                raise OffsetOutOfRange(self._settings.topic, partition, offset, low, high)
        return self._with_offsets(offsets)

    def _with_offsets(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [
            TopicPartition(self._settings.topic, partition, offset) for partition, offset in offsets.items()
        ]

    def _bounds(self, partition: int) -> tuple[int, int]:
        """First offset of the log, and the one after its last."""
        place = TopicPartition(self._settings.topic, partition)
        try:
            bounds = self._consumer.get_watermark_offsets(place, timeout=METADATA_TIMEOUT_SECONDS)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:
                raise TopicMissing(self._settings.topic, self._settings.bootstrap, ()) from error
            raise BrokerUnreachable(self._settings.bootstrap, error.args[0].str()) from error
        if bounds is None:
            raise BrokerUnreachable(self._settings.bootstrap, "no answer in time")
        return bounds

    def _guarded(self, react: Callable[[list[TopicPartition]], None]) -> Callable[[Any, Any], None]:
        """An exception must not cross the C library: keep it, and raise it when `consume` has returned."""

        def callback(_: Consumer, partitions: list[TopicPartition]) -> None:
            try:
                react(partitions)
            except (IngestError, KafkaException) as error:
                self._failure = self._failure or error

        return callback

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if isinstance(failure, KafkaException):
            raise KafkaFailed("changing partitions", failure.args[0].str()) from failure
        if failure is not None:
            raise failure

    def _judge(self, message: Message) -> None:
        error = message.error()
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._at_end.add(message.partition() or 0)
            return
        if error.code() in _OUT_OF_RANGE:
            low, high = self._bounds(message.partition() or 0)
            raise OffsetOutOfRange(self._settings.topic, message.partition() or 0, None, low, high)
        if error.code() in _TOPIC_GONE:
            raise TopicMissing(self._settings.topic, self._settings.bootstrap, ())
        if error.fatal():
            raise KafkaFailed("reading", error.str())
        # The client goes on by itself: another attempt, another broker.
        log.warning("Kafka: %s", error.str())


def _consumer_settings(settings: IngestSettings) -> dict[str, Any]:
    ours = {
        "group.id": settings.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Never to be used: where to begin is said on every assignment. Silence about a wrong offset would
        # be worse.
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": _SESSION_MS,
        "max.poll.interval.ms": _MAX_POLL_MS,
        "queued.max.messages.kbytes": max(1, settings.prefetch_bytes // 1024),
        "fetch.wait.max.ms": 100,
        # The end of a log is announced only where somebody waits for it.
        "enable.partition.eof": settings.until_caught_up,
        "isolation.level": "read_committed",
    }
    return client_settings(settings.bootstrap, {**ours, **settings.kafka})
