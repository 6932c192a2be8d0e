"""Where events stand on Kafka: a topic's log, a partition of it, an offset; and what lies below an offset."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from collections.abc import Iterable
from datetime import date
from functools import reduce

from snowflake.snowpark import Column, DataFrame
from snowflake.snowpark import functions as F

from caves_snowpark.schemas import DATE, UTC_TIME
from caves_snowpark.staging import source_offset, source_partition, source_topic

# A topic's log and a partition of it, as the SOURCE_ columns name them.
Place = tuple[str, int]
# By place an offset.
Offsets = dict[Place, int]


def located(events: DataFrame) -> DataFrame:
    metadata = F.col("EVENT_METADATA")
    return events.select(
        source_topic(metadata).alias("SOURCE_TOPIC"),
        source_partition(metadata).alias("SOURCE_PARTITION"),
        source_offset(metadata).alias("SOURCE_OFFSET"),
        "INGESTION_TIME",
        F.convert_timezone(F.lit("UTC"), F.col("INGESTION_TIME")).cast(UTC_TIME).cast(DATE).alias("DAY"),
    )


def first_kept(spans: Iterable[tuple[date, int, int]], last_day: date, waiting: int | None) -> int | None:
    """The first offset of a place that stays when the days up to one have expired; None where all stay."""
    days = list(spans)
    if not any(day <= last_day for day, _, _ in days):
        return None
    later = [first for day, first, _ in days if day > last_day]
    ends = later or [max(last for _, _, last in days) + 1]
    return min(ends if waiting is None else [*ends, waiting])


def within(
    offsets: Offsets,
    topic: Column | None = None,
    partition: Column | None = None,
    offset: Column | None = None,
    *,
    from_: bool = False,
) -> Column:
    """Whether a row stands below the offset of its place; or, `from_` it on."""
    topic = F.col("SOURCE_TOPIC") if topic is None else topic
    partition = F.col("SOURCE_PARTITION") if partition is None else partition
    offset = F.col("SOURCE_OFFSET") if offset is None else offset
    conditions = [
        (topic == F.lit(name))
        & (partition == F.lit(number))
        & (offset >= F.lit(limit) if from_ else offset < F.lit(limit))
        for (name, number), limit in offsets.items()
    ]
    return reduce(Column.__or__, conditions) if conditions else F.lit(False)


def by_place(rows: DataFrame) -> Offsets:
    counted = rows.group_by("SOURCE_TOPIC", "SOURCE_PARTITION").agg(F.count(F.lit(1)).alias("AMOUNT"))
    return {(topic, int(partition)): int(amount) for topic, partition, amount in counted.collect()}
