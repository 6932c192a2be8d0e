"""The Kafka side: partitions come and go, messages are read, the log's bounds are watched.

The warehouse says where to begin; Kafka's own committed offsets are written for lag monitors and never read.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from ingest.batch import body_bytes
from ingest.errors import BrokerUnreachable, IngestError, KafkaFailed, TopicMissing
from ingest.positions import PartitionLog
from ingest.settings import IngestSettings
from ingest.topics import (
    METADATA_TIMEOUT_SECONDS,
    NOT_ALLOWED,
    admin_client,
    client_settings,
    kafka_log,
    topic_identity,
    topic_partitions,
)

log = logging.getLogger(__name__)

# The group gives our partitions to another member when we have not asked for messages for so long.
_MAX_POLL_MS: Final = 300_000
_SESSION_MS: Final = 6_000
# New partitions are found, and the group shares them out, after this long.
_METADATA_REFRESH_MS: Final = 30_000
# A topic that was there is taken for deleted when the broker has denied it for so long.
_TOPIC_GRACE_SECONDS: Final = 30.0
# The loop waits so long for a lag that nobody may look at.
_LAG_TIMEOUT_SECONDS: Final = 0.5
# Messages asked for at a time.
READ_CHUNK: Final = 1_000
# How large a message may be expected to be before one has been seen.
_FIRST_GUESS_BYTES: Final = 64 * 1024
# librdkafka refuses a fetch bound below its largest message.
_LEAST_FETCH_BYTES: Final = 1_000_000

_TOPIC_GONE: Final = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_ID}
)
_OUT_OF_RANGE: Final = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})


class PartitionOwner(Protocol):
    """Who is told when partitions come and go. Called from within `KafkaSource.read` and `rest`."""

    def take_over(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Partitions come; the answer is where to read on in each."""
        ...

    def hand_over(self, partitions: Iterable[int]) -> None:
        """Partitions go to another member, which waits for us: finish what is in hand."""
        ...

    def lose(self, partitions: Iterable[int]) -> None:
        """Partitions are gone already: drop what is in hand of them."""
        ...

    def displaced(self, partition: int) -> None:
        """The place where reading should go on is not in this partition's log."""
        ...


class KafkaSource:
    """A consumer of one topic, by group membership or of all partitions at once."""

    def __init__(self, settings: IngestSettings, owner: PartitionOwner) -> None:
        self._settings = settings
        self._owner = owner
        self._held: list[Message] = []
        self._failure: Exception | None = None
        self._is_resting = False
        self._at_end: set[int] = set()
        self._missing_since: float | None = None
        # Offsets at which a fetch was refused, by partition.
        self._refused_at: dict[int, int] = {}
        self._message_bytes = _FIRST_GUESS_BYTES
        # Kept: its connection is what takes time.
        self._admin: AdminClient | None = None
        # Asked before there is a consumer, which would go on logging that nobody answers.
        self._partitions = topic_partitions(settings.bootstrap, settings.topic, settings.kafka)
        self._consumer = Consumer(_consumer_settings(settings), logger=kafka_log)

    def open(self) -> None:
        """Begin to consume."""
        if self._settings.assign:
            self._consumer.assign(self._places(self._owner.take_over(self._partitions)))
            return
        self._consumer.subscribe(
            [self._settings.topic],
            on_assign=self._guarded(self._on_assign),
            on_revoke=self._guarded(self._on_revoke),
            on_lost=self._guarded(self._on_lost),
        )

    def read(self, most: int, most_bytes: int, timeout_seconds: float) -> list[Message]:
        """Up to `most` messages of about `most_bytes` together; fewer, or none, when the time is over."""
        if self._is_resting:
            self._consumer.resume(self._consumer.assignment())
            self._is_resting = False
        # A message's size is known when it is there: so few are asked for that they fit if they are all as
        # large as the largest of late.
        fitting = max(1, min(most, READ_CHUNK, most_bytes // self._message_bytes))
        held, self._held = self._held, []
        received = held or self._consumer.consume(fitting, timeout_seconds)
        self._raise_failure()
        messages = [message for message in received if message.error() is None]
        if messages:
            largest = max(map(body_bytes, messages))
            self._message_bytes = max(1, largest, self._message_bytes // 2)
            self._at_end.difference_update(message.partition() or 0 for message in messages)
        if len(messages) < len(received):
            for message in received:
                self._judge(message)
        return messages

    def rest(self, seconds: float) -> None:
        """Let time pass without reading on, while the group still sees us alive."""
        # Each time anew: partitions that came in the meantime must rest too.
        self._consumer.pause(self._consumer.assignment())
        self._is_resting = True
        message = self._consumer.poll(seconds)
        if message is not None:
            self._held.append(message)
        self._raise_failure()

    @property
    def resting(self) -> frozenset[int]:
        """The partitions that are paused."""
        return frozenset(self._assigned()) if self._is_resting else frozenset()

    def caught_up(self, partitions: Iterable[int]) -> bool:
        """Whether the last thing heard of each partition is that its log has no more."""
        return self._at_end.issuperset(partitions)

    def rewind(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions again from these offsets, as far as they are still ours."""
        self._held = []
        self._at_end.clear()
        self._refused_at.clear()
        assigned = self._assigned()
        for place in self._places(offsets):
            if place.partition in assigned:
                self._go_to(place)

    def logs(self, partitions: Iterable[int]) -> dict[int, PartitionLog]:
        """What the broker says of these partitions. Raises BrokerUnreachable and TopicMissing."""
        with self._patience_with_topic():
            identity = self._identity()
            return {partition: self._log(partition, identity) for partition in partitions}

    def lags(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """How many messages each log has from these offsets on, by the latest fetches.

        Partitions that rest are not fetched, and fall behind all the same: of them the broker is asked.
        """
        ends = {partition: self._fetched_end(partition) for partition in offsets}
        if self._is_resting:
            with suppress(IngestError):
                for partition, end in ends.items():
                    # Not every broker tells the true end when asked; none tells one that is too high.
                    ends[partition] = max(end, self._bounds(partition, _LAG_TIMEOUT_SECONDS)[1])
        return {partition: max(0, end - offsets[partition]) for partition, end in ends.items() if end >= 0}

    def check_ends(self, offsets: Mapping[int, int]) -> None:
        """Tell the owner of every partition whose log ends before its offset, by the latest fetches.

        Apache Kafka reports such an offset by itself. The embedded broker stays silent, and what it says when
        asked for the end of a log is too low; only the end that comes along with a fetch is right.
        """
        for partition, offset in offsets.items():
            if 0 <= self._fetched_end(partition) < offset:
                self._refused_at[partition] = offset
                self._owner.displaced(partition)

    def identity(self) -> str | None:
        """What tells the topic from an earlier one of the same name. Raises as `logs` does."""
        with self._patience_with_topic():
            return self._identity()

    def take_new_partitions(self) -> None:
        """Without a group nobody shares out partitions that the topic gained: take them all."""
        if not self._settings.assign:
            return
        with self._patience_with_topic():
            known = topic_partitions(self._settings.bootstrap, self._settings.topic, self._settings.kafka)
        gained = [partition for partition in known if partition not in self._partitions]
        if gained:
            log.info("topic %s gained partitions %s", self._settings.topic, gained)
            self._consumer.incremental_assign(self._places(self._owner.take_over(gained)))
            self._partitions = known

    def report_progress(self, offsets: Mapping[int, int]) -> None:
        """Tell Kafka how far we are, for lag monitors. Nothing depends on it, so a failure is only noted."""
        try:
            self._consumer.commit(offsets=self._places(offsets), asynchronous=True)
        except KafkaException as error:
            log.warning("progress was not told to Kafka: %s", error.args[0].str())

    def close(self) -> None:
        self._consumer.close()

    @contextmanager
    def _patience_with_topic(self) -> Iterator[None]:
        """A broker that has just started does not know its topics yet: believe it after a while only."""
        try:
            yield
        except TopicMissing as error:
            now = time.monotonic()
            self._missing_since = self._missing_since or now
            if now - self._missing_since > _TOPIC_GRACE_SECONDS:
                raise
            raise BrokerUnreachable(self._settings.bootstrap, "it does not know the topic now") from error
        self._missing_since = None

    def _identity(self) -> str | None:
        if self._admin is None:
            self._admin = admin_client(self._settings.bootstrap, self._settings.kafka)
        return topic_identity(self._admin, self._settings.bootstrap, self._settings.topic)

    def _assigned(self) -> set[int]:
        return {place.partition for place in self._consumer.assignment()}

    def _go_to(self, place: TopicPartition) -> None:
        try:
            self._consumer.seek(place)
        except KafkaException:
            # Only what is being fetched can seek: not a partition whose fetch was refused, nor one that has
            # just come. Such a one is begun anew.
            self._consumer.incremental_unassign([place])
            self._consumer.incremental_assign([place])

    def _on_assign(self, partitions: list[TopicPartition]) -> None:
        log.info("assigned partitions %s", [part.partition for part in partitions])
        self._know_nothing_of([part.partition for part in partitions])
        offsets = self._owner.take_over([part.partition for part in partitions])
        self._consumer.incremental_assign(self._places(offsets))

    def _on_revoke(self, partitions: list[TopicPartition]) -> None:
        log.info("revoked partitions %s", [part.partition for part in partitions])
        self._owner.hand_over([part.partition for part in partitions])
        self._consumer.incremental_unassign(partitions)

    def _on_lost(self, partitions: list[TopicPartition]) -> None:
        log.warning("lost partitions %s", [part.partition for part in partitions])
        self._owner.lose([part.partition for part in partitions])
        self._consumer.incremental_unassign(partitions)

    def _know_nothing_of(self, partitions: list[int]) -> None:
        """They may have been ours before; what was heard of them then says nothing now."""
        self._at_end.difference_update(partitions)
        self._held = [message for message in self._held if message.partition() not in partitions]
        for partition in partitions:
            self._refused_at.pop(partition, None)

    def _places(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [
            TopicPartition(self._settings.topic, partition, offset) for partition, offset in offsets.items()
        ]

    def _log(self, partition: int, identity: str | None) -> PartitionLog:
        low, high = self._bounds(partition)
        is_past_end = self._refused_at.get(partition, 0) > high
        return PartitionLog(low, high, identity, is_past_end)

    def _bounds(self, partition: int, timeout_seconds: float = METADATA_TIMEOUT_SECONDS) -> tuple[int, int]:
        """First offset of the log, and the one after its last."""
        place = TopicPartition(self._settings.topic, partition)
        try:
            bounds = self._consumer.get_watermark_offsets(place, timeout=timeout_seconds)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:
                raise TopicMissing(self._settings.topic, self._settings.bootstrap, ()) from error
            raise BrokerUnreachable(self._settings.bootstrap, error.args[0].str()) from error
        if bounds is None:
            raise BrokerUnreachable(self._settings.bootstrap, "no answer in time")
        return bounds

    def _fetched_end(self, partition: int) -> int:
        """The end of a log as the latest fetch told it; below 0 when there was none."""
        place = TopicPartition(self._settings.topic, partition)
        bounds = self._consumer.get_watermark_offsets(place, cached=True)
        return -1 if bounds is None else int(bounds[1])

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
        error, partition = message.error(), message.partition() or 0
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self._at_end.add(partition)
            return
        if error.code() in _OUT_OF_RANGE:
            self._refused_at[partition] = message.offset() or 0
            self._owner.displaced(partition)
            return
        if error.code() in _TOPIC_GONE:
            # Looked up anew, which tells a topic that is gone from a broker that has just started.
            self._owner.displaced(partition)
            return
        if error.fatal() or error.code() in NOT_ALLOWED:
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
        "topic.metadata.refresh.interval.ms": _METADATA_REFRESH_MS,
        "queued.max.messages.kbytes": max(1, settings.prefetch_bytes // 1024),
        "fetch.max.bytes": max(_LEAST_FETCH_BYTES, settings.prefetch_bytes),
        "fetch.wait.max.ms": 100,
        # The end of a log is announced only where somebody waits for it.
        "enable.partition.eof": settings.until_caught_up,
        "isolation.level": "read_committed",
    }
    return client_settings(settings.bootstrap, {**ours, **settings.kafka})
