"""Copies of rejected events in a Kafka topic: the bytes that came, and headers that say from where and why.

The warehouse decides what is rejected, so its table is read, from a stored offset of each partition on.
Rejected events of a partition appear there in the order of their offsets, because raw rows are committed in
that order and the stream hands them on in it: so an offset is a watermark that no later row falls below. It
moves only after the broker has acknowledged every copy up to it. A crash in between copies some again, under
the same coordinates; none is left out.
"""

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from caves_snowpark.names import DEAD_LETTER_OFFSETS, REJECTED_EVENTS
from ingest.batch import BASE64
from ingest.errors import DeadLettersRefused
from ingest.producer import DELIVERY_TIMEOUT_SECONDS
from ingest.session import WarehouseSession, warehouse_session
from ingest.topics import client_settings, kafka_log

log = logging.getLogger(__name__)

# What is copied between two moves of the watermark, and held in memory at once.
_PAGE_ROWS: Final = 500
_PAGE_CHARACTERS: Final = 16 * 1024 * 1024
# A copy is as large as what came, and its headers; the broker has its own bound.
_LARGEST_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_FLUSH_SECONDS: Final = 0.2

TOPIC: Final = "caves.source.topic"
PARTITION: Final = "caves.source.partition"
OFFSET: Final = "caves.source.offset"
TIMESTAMP_MS: Final = "caves.source.timestamp_ms"
REASONS: Final = "caves.reasons"
REJECTED_AT: Final = "caves.rejected_at"
# Only where the payload is not all there.
PAYLOAD: Final = "caves.payload"

_READ: Final = f"""
SELECT
    EVENTS.SOURCE_TOPIC,
    EVENTS.SOURCE_PARTITION,
    EVENTS.SOURCE_OFFSET,
    EVENTS.REASONS::VARCHAR AS REASONS,
    EVENTS.REJECTED_AT,
    EVENTS.EVENT_METADATA::VARCHAR AS METADATA,
    EVENTS.EVENT_CONTENT::VARCHAR AS CONTENT
FROM {REJECTED_EVENTS} AS EVENTS
LEFT JOIN {DEAD_LETTER_OFFSETS} AS COPIED
    ON
        COPIED.DEAD_LETTER_TOPIC = %s
        AND EVENTS.SOURCE_TOPIC = COPIED.SOURCE_TOPIC
        AND EVENTS.SOURCE_PARTITION = COPIED.SOURCE_PARTITION
WHERE EVENTS.SOURCE_OFFSET >= COALESCE(COPIED.NEXT_OFFSET, 0)
QUALIFY
    ROW_NUMBER() OVER (
        ORDER BY EVENTS.SOURCE_TOPIC, EVENTS.SOURCE_PARTITION, EVENTS.SOURCE_OFFSET
    ) = 1
    OR SUM(COALESCE(LENGTH(EVENTS.EVENT_CONTENT::VARCHAR), 0)) OVER (
        ORDER BY EVENTS.SOURCE_TOPIC, EVENTS.SOURCE_PARTITION, EVENTS.SOURCE_OFFSET
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) <= {_PAGE_CHARACTERS}
ORDER BY EVENTS.SOURCE_TOPIC, EVENTS.SOURCE_PARTITION, EVENTS.SOURCE_OFFSET
LIMIT {_PAGE_ROWS}
"""  # noqa: S608 - our own names and numbers

# Of two that copy at once both copy, and neither moves the other's watermark back.
_MOVE: Final = f"""
MERGE INTO {DEAD_LETTER_OFFSETS} AS STORED
USING (
    SELECT %s AS DEAD_LETTER_TOPIC, %s AS SOURCE_TOPIC, %s AS SOURCE_PARTITION, %s AS NEXT_OFFSET
) AS SEEN
    ON
        STORED.DEAD_LETTER_TOPIC = SEEN.DEAD_LETTER_TOPIC
        AND STORED.SOURCE_TOPIC = SEEN.SOURCE_TOPIC
        AND STORED.SOURCE_PARTITION = SEEN.SOURCE_PARTITION
WHEN MATCHED AND STORED.NEXT_OFFSET < SEEN.NEXT_OFFSET THEN
    UPDATE SET NEXT_OFFSET = SEEN.NEXT_OFFSET, UPDATED_AT = SYSDATE()
WHEN NOT MATCHED THEN
    INSERT (DEAD_LETTER_TOPIC, SOURCE_TOPIC, SOURCE_PARTITION, NEXT_OFFSET, UPDATED_AT)
    VALUES (SEEN.DEAD_LETTER_TOPIC, SEEN.SOURCE_TOPIC, SEEN.SOURCE_PARTITION, SEEN.NEXT_OFFSET, SYSDATE())
"""  # noqa: S608 - our name

Header = tuple[str, bytes | None]


@dataclass(frozen=True)
class Letter:
    """A copy of one rejected event, and its place in the source topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[Header] = field(default_factory=list)

    def without_payload(self) -> "Letter":
        """For a broker that takes no message of this size: the warehouse has the payload."""
        ours = (TOPIC, PARTITION, OFFSET, TIMESTAMP_MS, REASONS, REJECTED_AT)
        kept = [header for header in self.headers if header[0] in ours]
        return replace(self, value=None, headers=[*kept, (PAYLOAD, b"too large")])


class DeadLetters:
    """Copies what is new each time it is asked to; one at a time, by one thread."""

    def __init__(
        self,
        session: WarehouseSession,
        topic: str,
        make_producer: Callable[[], Any],
        stop: Event | None = None,
    ) -> None:
        self._session = session
        self._topic = topic
        self._make_producer = make_producer
        self._producer: Any = None
        self._stop = stop or Event()

    def publish_new(self) -> int:
        """Copy every rejected event that is not in the topic yet; how many those were.

        An IngestError leaves the watermark behind everything that was acknowledged; the same call goes on
        from there.
        """
        copied = 0
        while not self._stop.is_set():
            letters = [letter_of(row) for row in self._session.run(_READ, (self._topic,)).rows]
            if not letters:
                break
            self._send(letters)
            for (topic, partition), end in _ends(letters).items():
                self._session.run(_MOVE, (self._topic, topic, partition, end))
            copied += len(letters)
        return copied

    def close(self) -> None:
        self._forget_producer()
        self._session.drop()

    def _send(self, letters: Sequence[Letter]) -> None:
        """Every letter acknowledged by the broker, or DeadLettersRefused."""
        try:
            too_large = self._deliver(letters)
            if too_large and self._deliver([letter.without_payload() for letter in too_large]):
                raise DeadLettersRefused(self._topic, len(too_large), "too large even without payload")
        except BaseException:
            # What it still holds must not be sent behind our back, and after a fatal error it sends nothing.
            self._forget_producer()
            raise

    def _deliver(self, letters: Sequence[Letter]) -> list[Letter]:
        """Send and wait; those that are too large for the broker are returned."""
        if self._producer is None:
            self._producer = self._make_producer()
        acknowledged = [False] * len(letters)
        too_large: list[Letter] = []
        reasons: list[str] = []

        def report(number: int, error: KafkaError | None) -> None:
            if error is None:
                acknowledged[number] = True
            elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                too_large.append(letters[number])
            else:
                reasons.append(error.str())

        for number, letter in enumerate(letters):
            try:
                self._produce(letter, lambda error, _, number=number: report(number, error))
            except KafkaException as error:
                report(number, error.args[0])
        self._flush()
        missing = len(letters) - sum(acknowledged) - len(too_large)
        if missing:
            raise DeadLettersRefused(self._topic, missing, reasons[0] if reasons else "no answer in time")
        return too_large

    def _produce(self, letter: Letter, on_delivery: Callable[..., None]) -> None:
        while not self._stop.is_set():
            try:
                self._producer.produce(
                    self._topic, letter.value, letter.key, headers=letter.headers, on_delivery=on_delivery
                )
                return
            except BufferError:
                self._producer.poll(_FLUSH_SECONDS)

    def _flush(self) -> None:
        deadline = time.monotonic() + DELIVERY_TIMEOUT_SECONDS + 5
        while self._producer.flush(_FLUSH_SECONDS) and time.monotonic() < deadline:
            if self._stop.is_set():
                return

    def _forget_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(_FLUSH_SECONDS)


@contextmanager
def dead_letters(
    connection: str, config_file: Path | None, bootstrap: str, topic: str, stop: Event | None = None
) -> Iterator[DeadLetters]:
    """With a session of the warehouse and a Kafka client of its own."""
    session = warehouse_session(connection, config_file)
    letters = DeadLetters(session, topic, lambda: _producer(bootstrap), stop)
    try:
        yield letters
    finally:
        letters.close()


def letter_of(row: Sequence[Any]) -> Letter:
    """The copy of a row of REJECTED_EVENTS: key, value and headers as they came, then our headers."""
    topic, partition, offset, reasons, rejected_at, metadata_text, content = row
    metadata: dict[str, Any] = json.loads(metadata_text or "{}")
    ours: list[tuple[str, object]] = [
        (TOPIC, topic),
        (PARTITION, int(partition)),
        (OFFSET, int(offset)),
        (TIMESTAMP_MS, metadata.get("timestamp_ms")),
        (REASONS, reasons or "[]"),
        (REJECTED_AT, f"{rejected_at.isoformat()}Z"),
        (PAYLOAD, _incomplete(metadata)),
    ]
    return Letter(
        str(topic),
        int(partition),
        int(offset),
        _bytes(metadata.get("key"), metadata.get("key_encoding")),
        None if metadata.get("format") == "tombstone" else _bytes(content, metadata.get("encoding")),
        [
            *_headers(metadata.get("headers")),
            *((name, str(value).encode()) for name, value in ours if value is not None),
        ],
    )


def _incomplete(metadata: Mapping[str, Any]) -> str | None:
    """Of a payload that no column holds only the beginning is here; the rest lies in a staged file."""
    message = metadata.get("message")
    return json.dumps({"beginning": True, **message}) if isinstance(message, dict) else None


def _bytes(text: str | None, encoding: str | None) -> bytes | None:
    if text is None:
        return None
    return base64.b64decode(text) if encoding == BASE64 else text.encode("utf-8", "surrogatepass")


def _headers(headers: Any) -> list[Header]:
    return [
        (name, _bytes(value[BASE64], BASE64) if isinstance(value, dict) else _bytes(value, None))
        # Not a list: names that the client could not read.
        for name, value in (headers if isinstance(headers, list) else [])
    ]


def _ends(letters: Sequence[Letter]) -> dict[tuple[str, int], int]:
    return {(letter.topic, letter.partition): letter.offset + 1 for letter in letters}


def _producer(bootstrap: str) -> Producer:
    ours = {
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 20,
        "message.max.bytes": _LARGEST_MESSAGE_BYTES,
        "delivery.timeout.ms": DELIVERY_TIMEOUT_SECONDS * 1000,
    }
    return Producer(client_settings(bootstrap, ours), logger=kafka_log)
