"""What a tick reads and rewrites of all that came before it, and how much of that pruning could spare."""

from bisect import bisect_left
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.scaling import parameters as p
from ingest.mix import ADJUSTMENT_SHARE

SEED: Final = 7
ORDER_SHARE: Final = 1 - ADJUSTMENT_SHARE
# Micro-partitions of the simulated history, evenly over LATE_DAYS.
SIMULATED: Final = 2_000
_DAY: Final = 86_400.0


@dataclass(frozen=True)
class Scan:
    """A column that a statement of a tick reads whole, and how many of its bytes there are per event kept."""

    procedure: str
    reads: str
    why: str
    bytes_per_event: float


def scans() -> tuple[Scan, ...]:
    """What the four procedures read of history, as their statements are today."""
    content_hash, key = p.HASH_BYTES.value, p.KEY_BYTES.value
    return (
        Scan(
            "DISTRIBUTE_RAW_EVENTS",
            "CONTENT_HASH of staged and purged orders and movements",
            "which events are new, and which are repeats",
            content_hash,
        ),
        Scan("MERGE_ORDERS", "ORDER_ID of ORDERS", "the MERGE's ON", ORDER_SHARE * key),
        Scan(
            "APPEND_INVENTORY_HISTORY",
            "ADJUSTMENT_ID of INVENTORY_HISTORY",
            "the MERGE's ON",
            ADJUSTMENT_SHARE * key,
        ),
        Scan(
            "MERGE_INVENTORY_CURRENT",
            "ADJUSTMENT_ID of staged and purged movements",
            "the version that counted before",
            ADJUSTMENT_SHARE * key,
        ),
    )


def scanned_bytes(events_kept: float) -> float:
    """What one tick reads of a history of so many events."""
    return events_kept * sum(each.bytes_per_event for each in scans())


def scan_seconds(events_kept: float) -> float:
    """How long an XS is busy with that."""
    return scanned_bytes(events_kept) / (p.SCAN_GB.value * 1e9)


def partitions_of_orders(events_kept: float) -> float:
    return max(1.0, events_kept * ORDER_SHARE / p.PARTITION_ROWS.value)


def reached(keys: float, partitions: float) -> float:
    """The share of micro-partitions in which at least one of so many random keys lies."""
    return float(1 - (1 - 1 / partitions) ** keys)


def rewritten_bytes(rate: float, events_kept: float) -> float:
    """What one tick's corrections rewrite of ORDERS, when they are of orders of any age."""
    corrections = rate * p.SCHEDULE_SECONDS.value * ORDER_SHARE * p.CORRECTIONS.value / 100
    partitions = partitions_of_orders(events_kept)
    return reached(corrections, partitions) * partitions * p.PARTITION_MB.value * 1e6


@dataclass(frozen=True)
class Pruned:
    """The share of micro-partitions that a tick must read when it looks for its own event times."""

    late_share: float
    as_loaded: float
    by_day: float
    by_hour: float


def pruned(late_share: float, events: int) -> Pruned:
    """A tick of `events` over a history in which so many are late, each by up to LATE_DAYS.

    As loaded, a micro-partition reaches from its oldest late row to its own time of loading. Clustered, it
    holds the rows of one day, or of one hour, and nothing else.
    """
    random = Random(f"{SEED} {late_share}")
    span = p.LATE_DAYS.value * _DAY
    wanted = sorted([span, *(span * random.random() for _ in range(round(events * late_share)))])
    late_rows = round(p.PARTITION_ROWS.value * late_share)
    touched = 0
    for number in range(SIMULATED):
        loaded, begun = span * (number + 1) / SIMULATED, span * number / SIMULATED
        # The oldest of n events that are late by anything up to the span.
        oldest = begun - span * random.random() ** (1 / late_rows) if late_rows else begun
        place = bisect_left(wanted, oldest)
        touched += place < len(wanted) and wanted[place] <= loaded
    return Pruned(
        late_share, touched / SIMULATED, _clustered(wanted, span, _DAY), _clustered(wanted, span, 3600)
    )


def _clustered(wanted: list[float], span: float, width: float) -> float:
    cells = round(span / width)
    return len({min(int(moment / width), cells - 1) for moment in wanted}) / cells


def most_events_kept(size: str) -> float:
    """The history with which a tick that brings next to nothing still ends in time."""
    seconds = p.FILL.value * p.SCHEDULE_SECONDS.value - p.TICK_SECONDS.value
    return seconds * p.CREDITS_PER_HOUR[size] / scan_seconds(1)


def size_for(events_kept: float) -> str | None:
    """The smallest size for which that holds."""
    return next((size for size in p.CREDITS_PER_HOUR if most_events_kept(size) >= events_kept), None)
