"""Settings of the producer and of the ingestor: read once at the door, checked there, never changed after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ingest.errors import InvalidSetting
from ingest.positions import OnOffsetReset
from ingest.topics import DEFAULT_PARTITIONS, DEFAULT_TOPIC

DEFAULT_GROUP: Final = "caves-ingest"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ProducerSettings:
    """One run of the shop. The same seed, start, rate, shares and number of events give the same bytes."""

    bootstrap: str
    topic: str = DEFAULT_TOPIC
    # 0 = until stopped.
    events: int = 20_000
    # Events a second; 0 = as fast as the broker takes them, spread over the week before `start`.
    rate: float = 0.0
    seed: int = 42
    start: datetime = field(default_factory=_now)
    bad_share: float = 0.01
    duplicate_share: float = 0.02
    # Of the orders: how many are a newer version of an earlier one.
    correction_share: float = 0.005
    # Of a topic that has to be made; one that is there is taken as it is.
    partitions: int = DEFAULT_PARTITIONS
    # More for librdkafka: TLS, SASL with its password, compression.
    kafka: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _require("events", self.events, self.events >= 0, "0 (until stopped) or more")
        _require("rate", self.rate, self.rate >= 0, "0 (no limit) or more")
        _require("partitions", self.partitions, self.partitions > 0, "1 or more")
        for name in ("bad_share", "duplicate_share", "correction_share"):
            _require(
                name, getattr(self, name), 0 <= getattr(self, name) < 1, "a share from 0 up to, not with, 1"
            )
        both = self.bad_share + self.duplicate_share
        _require(
            "bad_share + duplicate_share", both, both < 1, "below 1, so that some events are valid and new"
        )
        _require(
            "start", self.start, self.start.tzinfo is not None, "a time with an offset, as 2025-06-01T09:00Z"
        )


@dataclass(frozen=True)
class IngestSettings:
    """Where to read, where to write, and how much to hold in hand at once."""

    bootstrap: str
    connection: str
    config_file: Path | None = None
    topic: str = DEFAULT_TOPIC
    group: str = DEFAULT_GROUP
    # Take all partitions at once instead of joining the group: no wait, and only one such ingestor may run.
    assign: bool = False
    # Leave when every partition has been read up to the end of its log.
    until_caught_up: bool = False
    # A batch is loaded when the first of three bounds is reached: rows, bytes, seconds.
    batch_rows: int = 20_000
    batch_seconds: float = 2.0
    # Payloads held in memory at once, however slow the warehouse is: see `batch_bytes` and `prefetch_bytes`.
    buffer_bytes: int = 64 * 1024 * 1024
    # What to do when the log does not have the stored offset.
    on_offset_reset: OnOffsetReset = OnOffsetReset.FAIL
    # How often to look whether the topic was made anew or has more partitions.
    topic_check_seconds: float = 30.0
    # Between attempts to load a batch when the warehouse is away; doubled up to the second number.
    retry_seconds: float = 0.5
    retry_max_seconds: float = 30.0
    # Give up after this long without the warehouse; 0 = never, a service waits.
    give_up_seconds: float = 0.0
    kafka: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in ("batch_rows", "batch_seconds", "buffer_bytes", "retry_seconds", "topic_check_seconds"):
            _require(name, getattr(self, name), getattr(self, name) > 0, "more than 0")
        longest = self.retry_max_seconds
        _require("retry_max_seconds", longest, longest >= self.retry_seconds, "at least retry_seconds")

    @property
    def batch_bytes(self) -> int:
        """A quarter of the buffer: a batch in hand, and one on its way, as messages and as a file."""
        return max(1, self.buffer_bytes // 4)

    @property
    def held_bytes(self) -> int:
        """The payloads of the batch in hand and of the one on its way, at most."""
        return 2 * self.batch_bytes

    @property
    def prefetch_bytes(self) -> int:
        """The last quarter: what librdkafka may have fetched ahead, for all partitions together."""
        return max(1, self.buffer_bytes // 4)


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise InvalidSetting(name, value, allowed)
