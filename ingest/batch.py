"""The messages in hand, and the batch that they become: columns, made in native code.

Values stay bytes from the broker to the warehouse, which parses them. Here they are only checked to be
UTF-8, all at once; what is not goes as base64 and says so.
"""

import base64
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.positions import Gap, GapReason

UTF8: Final = "utf-8"
BASE64: Final = "base64"


class KafkaMessage(Protocol):
    """What we ask of a message: the shape of `confluent_kafka.Message`."""

    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def key(self) -> Any: ...
    def value(self) -> Any: ...
    def headers(self) -> Any: ...
    def timestamp(self) -> tuple[int, int]: ...


@dataclass(frozen=True)
class Slice:
    """The part of one partition that a batch covers: from `start` up to, not with, `end`."""

    partition: int
    start: int
    end: int
    # Which log of this name: see `StoredOffset`.
    generation: int = 0


@dataclass(frozen=True)
class Batch:
    """What is loaded in one transaction. Offsets may have holes (compaction, aborted transactions)."""

    topic: str
    slices: tuple[Slice, ...]
    table: pa.Table
    payload_bytes: int
    # With keys and headers.
    held_bytes: int = 0
    # Offsets inside the slices that the log does not have.
    gaps: tuple[Gap, ...] = ()

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    @property
    def starts(self) -> dict[int, int]:
        return {part.partition: part.start for part in self.slices}

    @property
    def ends(self) -> dict[int, int]:
        return {part.partition: part.end for part in self.slices}


class MessagesInHand:
    """Messages read and not yet loaded, for partitions whose next offset is known."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._messages: list[KafkaMessage] = []
        self._headers: list[str | None] = []
        self._ends: dict[int, int] = {}
        self._holes: list[tuple[int, int, int]] = []
        # When the oldest message came, by the monotonic clock.
        self.since = 0.0
        self.payload_bytes = 0
        # With keys and headers, which may be as large.
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def age_seconds(self) -> float:
        """How long the oldest message has waited."""
        return time.monotonic() - self.since if self._messages else 0.0

    def add(self, messages: Iterable[KafkaMessage], expected: Mapping[int, int]) -> dict[int, int]:
        """Keep what is new: nothing below the expected offset, nothing of a partition that has left.

        Returns how many messages of each partition had been held or loaded before.
        """
        if not self._messages:
            self.since = time.monotonic()
        repeated: dict[int, int] = {}
        for message in messages:
            partition, offset = message.partition(), message.offset()
            if partition is None or offset is None or partition not in expected:
                continue
            next_offset = self._ends.get(partition, expected[partition])
            if offset < next_offset:
                repeated[partition] = repeated.get(partition, 0) + 1
                continue
            if offset > next_offset:
                self._holes.append((partition, next_offset, offset))
            self._ends[partition] = offset + 1
            headers = _headers_text(message)
            self._messages.append(message)
            self._headers.append(headers)
            self.payload_bytes += len(message.value() or b"")
            self.held_bytes += body_bytes(message) + len(headers or "")
        return repeated

    def batch(self, starts: Mapping[int, int], generations: Mapping[int, int] | None = None) -> Batch:
        """All of it, as one batch that starts at these offsets."""
        of = generations or {}
        slices = tuple(
            Slice(partition, starts[partition], end, of.get(partition, 0))
            for partition, end in sorted(self._ends.items())
        )
        gaps = tuple(
            Gap(partition, of.get(partition, 0), start, end, GapReason.NOT_IN_LOG)
            for partition, start, end in self._holes
        )
        table = _table(self._topic, self._messages, self._headers, of)
        return Batch(self._topic, slices, table, self.payload_bytes, self.held_bytes, gaps)

    def clear(self) -> None:
        self._messages = []
        self._headers = []
        self._ends = {}
        self._holes = []
        self.payload_bytes = self.held_bytes = 0


def body_bytes(message: KafkaMessage) -> int:
    """The size of a message's value and key."""
    return len(message.value() or b"") + len(message.key() or b"")


def _table(
    topic: str, messages: list[KafkaMessage], headers: list[str | None], generations: Mapping[int, int]
) -> pa.Table:
    payload, encoding = _as_text([message.value() for message in messages])
    key, key_encoding = _as_text([message.key() for message in messages])
    return pa.table(
        {
            "topic": pa.array([topic] * len(messages), pa.string()),
            "kafka_partition": pa.array([message.partition() for message in messages], pa.int64()),
            "generation": pa.array(
                [generations.get(message.partition() or 0) or None for message in messages], pa.int64()
            ),
            "kafka_offset": pa.array([message.offset() for message in messages], pa.int64()),
            "timestamp_ms": pa.array([message.timestamp()[1] for message in messages], pa.int64()),
            "message_key": key,
            "key_encoding": key_encoding,
            "headers": pa.array(headers, pa.string()),
            "payload": payload,
            "payload_encoding": encoding,
            # Filled for a message that the warehouse cannot hold as it is: see refusals.py.
            "refusal": pa.nulls(len(messages), pa.string()),
            "message_facts": pa.nulls(len(messages), pa.string()),
        }
    )


def parquet(table: pa.Table) -> BytesIO:
    """The file that is staged for a table."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False)
    buffer.seek(0)
    return buffer


def _as_text(values: list[bytes | None]) -> tuple[pa.Array, pa.Array]:
    """The values as text, and how each is written: one native pass, one by one only after a fault."""
    try:
        text = pa.array(values, pa.binary()).cast(pa.string())
        return text, pa.array([UTF8] * len(values), pa.string())
    except pa.ArrowInvalid:
        pairs = [_text_and_encoding(value) for value in values]
        return (
            pa.array([text for text, _ in pairs], pa.string()),
            pa.array([encoding for _, encoding in pairs], pa.string()),
        )


def _text_and_encoding(value: bytes | None) -> tuple[str | None, str]:
    if value is None:
        return None, UTF8
    try:
        return value.decode("utf-8"), UTF8
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii"), BASE64


def _headers_text(message: KafkaMessage) -> str | None:
    """Kafka headers, an ordered list that may repeat a name, as JSON: [[name, text], ...].

    A value that is not UTF-8 is {"base64": "..."} in place of the text. To be asked once of each message:
    where a name is not UTF-8 the client fails, and what it gives when asked again ends the process.
    """
    try:
        headers = message.headers()
    except (SystemError, UnicodeDecodeError):
        return orjson.dumps({"unreadable": "a name is not UTF-8"}).decode()
    if not headers:
        return None
    return orjson.dumps([[name, _header_value(value)] for name, value in headers]).decode()


def _header_value(value: bytes | str | None) -> object:
    if value is None or isinstance(value, str):
        return value
    text, encoding = _text_and_encoding(value)
    return text if encoding == UTF8 else {BASE64: text}
