"""Ingestors, partitions and commits for a number of events a second."""

from dataclasses import dataclass
from math import ceil

from bench.scaling import parameters as p
from bench.scaling.events import sample
from ingest.topics import DEFAULT_PARTITIONS


@dataclass(frozen=True)
class Capacity:
    rate: float
    megabytes: float
    ingestors: int
    partitions: int
    channels: int
    # Of a second, how much KAFKA_OFFSETS is locked when every batch is full; above 1 it cannot be.
    lock_share: float


def capacity(rate: float) -> Capacity:
    """For `rate` events a second from a warehouse a way off."""
    megabytes = rate * sample().message_bytes / 1e6
    ingestors = ingestors_for(rate)
    return Capacity(
        rate,
        megabytes,
        ingestors,
        # Two for each ingestor, so that one that goes leaves its share to several.
        max(DEFAULT_PARTITIONS, 2 * ingestors),
        ceil(megabytes / p.CHANNEL_MB.value),
        rate / most_through_offsets(p.BATCH_ROWS.value),
    )


def ingestors_for(rate: float) -> int:
    """One as long as one does; beyond it each does what one of four did, the most that were measured."""
    if rate <= p.ONE_INGESTOR.value:
        return 1
    return ceil(rate / (p.FOUR_INGESTORS.value / 4))


def answer_seconds() -> float:
    """What one ingestor waits for answers a batch: the two measured rates differ by it."""
    rows = p.BATCH_ROWS.value
    return rows / p.ONE_INGESTOR.value - rows / p.ONE_INGESTOR_NEAR.value


def rate_of_one(batch_rows: float) -> float:
    """Rows a second of one ingestor with batches of so many rows, answers 0.25 s late; not measured."""
    return batch_rows / (answer_seconds() + batch_rows / p.ONE_INGESTOR_NEAR.value)


def buffer_mb(batch_rows: float) -> int:
    """The `--buffer-mb` that holds such batches: one in hand and one on its way are half of it."""
    return ceil(4 * batch_rows * sample().message_bytes / 2**20)


def most_through_offsets(batch_rows: float) -> float:
    """Events a second at which KAFKA_OFFSETS is locked all the time, with full batches."""
    return batch_rows / p.LOCK_SECONDS.value


def channel_events() -> float:
    """Events a second that one channel of Snowpipe Streaming takes."""
    return p.CHANNEL_MB.value * 1e6 / sample().message_bytes
