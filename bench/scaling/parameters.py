"""Every number that the tables of docs/scaling.md start from, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingest.settings import IngestSettings, ProducerSettings


class Origin(StrEnum):
    MEASURED = "measured here"
    OURS = "our own setting"
    SNOWFLAKE = "Snowflake's"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Parameter:
    meaning: str
    value: float
    unit: str
    origin: Origin
    source: str


_CONSUMPTION: Final = (
    "[Service Consumption Table](https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf), "
    "1 April 2026, "
)
_LIMITS: Final = (
    "[Limitations of Snowpipe Streaming](https://docs.snowflake.com/en/user-guide/snowpipe-streaming/"
    "snowpipe-streaming-high-performance-limitations)"
)
_OVERVIEW: Final = (
    "[Snowpipe Streaming, overview](https://docs.snowflake.com/en/user-guide/snowpipe-streaming/"
    "snowpipe-streaming-high-performance-overview)"
)
_TASKS: Final = "[Introduction to tasks](https://docs.snowflake.com/en/user-guide/tasks-intro)"
_CURVE: Final = "[reliability.md](reliability.md#more-ingestors)"
_SIZES: Final = "[data-life.md](data-life.md#kafka-and-what-comes-again)"
_DEFAULTS: Final = IngestSettings(bootstrap="", connection="")

# Credits an hour, by size. A warehouse of the next size has twice the machines.
CREDITS_PER_HOUR: Final[Mapping[str, int]] = {
    size: 2**power
    for power, size in enumerate(("XS", "S", "M", "L", "XL", "2XL", "3XL", "4XL", "5XL", "6XL"))
}
LARGEST_SERVERLESS: Final = "2XL"

ONE_INGESTOR_NEAR: Final = Parameter(
    "one ingestor, warehouse that answers at once", 27_100, "rows/s", Origin.MEASURED, _CURVE
)
ONE_INGESTOR: Final = Parameter("one ingestor, answers 0.25 s late", 7_200, "rows/s", Origin.MEASURED, _CURVE)
FOUR_INGESTORS: Final = Parameter(
    "four ingestors together, answers 0.25 s late", 19_400, "rows/s", Origin.MEASURED, _CURVE
)
RAW_MB: Final = Parameter("a million raw events, stored", 72, "MB", Origin.MEASURED, f"{_SIZES}, as Parquet")
STAGED_MB: Final = Parameter("a million staged orders", 89, "MB", Origin.MEASURED, f"{_SIZES}, as Parquet")

BATCH_ROWS: Final = Parameter(
    "largest batch of an ingestor", _DEFAULTS.batch_rows, "rows", Origin.OURS, "`IngestSettings`; no flag"
)
BATCH_SECONDS: Final = Parameter(
    "longest wait of a batch", _DEFAULTS.batch_seconds, "s", Origin.OURS, "`--batch-seconds`"
)
CORRECTIONS: Final = Parameter(
    "of the orders, corrected later",
    ProducerSettings("").correction_share * 100,
    "%",
    Origin.OURS,
    "the seeded shop",
)
SCHEDULE_SECONDS: Final = Parameter("between two ticks", 60, "s", Origin.OURS, "`CAVES_SCHEDULE`")
SUSPEND_SECONDS: Final = Parameter(
    "AUTO_SUSPEND of the warehouse", 60, "s", Origin.OURS, "deploy/account/010_account.sql"
)

LEAST_BILLED_SECONDS: Final = Parameter(
    "least that a resume costs", 60, "s", Origin.SNOWFLAKE, f"{_CONSUMPTION}page 1; then by the second"
)
CREDIT_USD: Final = Parameter(
    "a credit: on demand, Standard, AWS EU (Paris)",
    2.60,
    "USD",
    Origin.SNOWFLAKE,
    f"{_CONSUMPTION}table 2(a)",
)
TERABYTE_USD: Final = Parameter(
    "a terabyte for a month: on demand, AWS EU (Paris)",
    24.00,
    "USD",
    Origin.SNOWFLAKE,
    f"{_CONSUMPTION}table 3(a)",
)
SERVERLESS: Final = Parameter(
    "serverless tasks, for each hour of an XS", 0.9, "credits", Origin.SNOWFLAKE, f"{_CONSUMPTION}table 5"
)
STREAMING: Final = Parameter(
    "Snowpipe Streaming, for each uncompressed GB",
    0.0037,
    "credits",
    Origin.SNOWFLAKE,
    f"{_CONSUMPTION}table 5",
)
CHANNEL_MB: Final = Parameter("most through one channel", 12, "MB/s", Origin.SNOWFLAKE, _LIMITS)
TABLE_GB: Final = Parameter("most into one table", 10, "GB/s", Origin.SNOWFLAKE, _LIMITS)
CHANNELS: Final = Parameter("channels of one pipe", 2_000, "channels", Origin.SNOWFLAKE, _LIMITS)
LATENCY_SECONDS: Final = Parameter("from append to query, at worst", 10, "s", Origin.SNOWFLAKE, _OVERVIEW)
SERVERLESS_MOST: Final = Parameter(
    f"largest serverless task ({LARGEST_SERVERLESS})",
    CREDITS_PER_HOUR[LARGEST_SERVERLESS],
    "times an XS",
    Origin.SNOWFLAKE,
    _TASKS,
)

TICK_SECONDS: Final = Parameter(
    "a tick's fixed part: calls, compiling, commits", 12, "s", Origin.ASSUMED, "on any size"
)
TRANSFORM_SECONDS: Final = Parameter(
    "four procedures over a million events", 60, "s of an XS", Origin.ASSUMED, "half of it on the next size"
)
BATCH_FIXED_SECONDS: Final = Parameter("a batch's fixed part", 1, "s", Origin.ASSUMED, "on any size")
LOAD_SECONDS: Final = Parameter(
    "INSERT ... SELECT of a million rows", 20, "s of an XS", Origin.ASSUMED, "half of it on the next size"
)
FILL: Final = Parameter(
    "of a warehouse's time, planned for", 0.8, "", Origin.ASSUMED, "the rest is for peaks"
)
LOCK_SECONDS: Final = Parameter(
    "a commit's lock on KAFKA_OFFSETS", 0.5, "s", Origin.ASSUMED, "two answers, each 0.25 s late"
)
SCAN_GB: Final = Parameter("an XS reads", 0.5, "GB/s", Origin.ASSUMED, "compressed columns, nothing cached")
HASH_BYTES: Final = Parameter(
    "a CONTENT_HASH, compressed", 32, "bytes", Origin.ASSUMED, "a SHA-256 has no fewer"
)
KEY_BYTES: Final = Parameter(
    "an order's or movement's key", 16, "bytes", Origin.ASSUMED, "a UUID has no fewer"
)
PARTITION_ROWS: Final = Parameter(
    "rows of a micro-partition",
    500_000,
    "rows",
    Origin.ASSUMED,
    "within the 50 to 500 MB uncompressed of [Micro-partitions](https://docs.snowflake.com/en/user-guide/"
    "tables-clustering-micropartitions)",
)
PARTITION_MB: Final = Parameter("a micro-partition, compressed", 40, "MB", Origin.ASSUMED, "of 500,000 rows")
LATE_DAYS: Final = Parameter("how late a late event is", 30, "days", Origin.ASSUMED, "at most, all alike")

ALL: Final = tuple(each for each in dict(globals()).values() if isinstance(each, Parameter))
