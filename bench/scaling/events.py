"""What the shop's seeded events weigh, and how their keys spread over partitions."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from ingest.events import EventStream
from ingest.settings import ProducerSettings

EVENTS: Final = 50_000
_START: Final = datetime(2025, 6, 2, 12, tzinfo=UTC)
_WORD: Final = 0xFFFFFFFF


@dataclass(frozen=True)
class Sample:
    """Of the seeded events: the mean size, the part of it that is values, and how many have each key."""

    message_bytes: float
    value_bytes: float
    keys: Counter[bytes]


@cache
def sample() -> Sample:
    """Events of the default seed, without broken ones."""
    messages = EventStream(ProducerSettings("", events=EVENTS, start=_START, bad_share=0.0)).take(EVENTS)
    payloads = [value or b"" for _, value in messages]
    return Sample(
        sum(map(len, payloads)) / EVENTS,
        sum(map(_values, payloads)) / EVENTS,
        Counter(key for key, _ in messages if key is not None),
    )


@dataclass(frozen=True)
class Spread:
    partitions: int
    used: int
    busiest_share: float


def spread(partitions: int) -> Spread:
    """Where the keys go: a product is on one partition, as the producer's partitioner has it."""
    keys = sample().keys
    held: Counter[int] = Counter()
    for key, events in keys.items():
        held[(murmur2(key) & 0x7FFFFFFF) % partitions] += events
    return Spread(partitions, len(held), max(held.values()) / keys.total())


def murmur2(data: bytes) -> int:
    """The hash by which Kafka's Java clients, and our producer, choose a partition."""
    mixed = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for place in range(0, whole, 4):
        word = int.from_bytes(data[place : place + 4], "little") * 0x5BD1E995 & _WORD
        word = (word ^ word >> 24) * 0x5BD1E995 & _WORD
        mixed = mixed * 0x5BD1E995 & _WORD ^ word
    if tail := data[whole:]:
        mixed = (mixed ^ int.from_bytes(tail, "little")) * 0x5BD1E995 & _WORD
    mixed = (mixed ^ mixed >> 13) * 0x5BD1E995 & _WORD
    return mixed ^ mixed >> 15


def _values(payload: bytes) -> int:
    """The bytes of an event's values, without names and punctuation."""
    # Numbers stay the texts that they are. No event nests.
    event: dict[str, str] = json.loads(payload, parse_float=str, parse_int=str)
    return sum(len(value.encode()) for value in event.values())
