"""What an operator asks first, as rows of one query: how much, how far behind, refused for what, and since
when."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from functools import reduce
from typing import Final

from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.schemas import INTEGER, TEXT, UTC_TIME

ROWS: Final = "rows"
PENDING: Final = "pending"
REJECTED: Final = "rejected"
LATEST: Final = "latest"
OFFSETS: Final = "offsets"


def observations(session: Session) -> DataFrame:
    """Everything that PIPELINE_HEALTH reports, read at one moment. Reading a stream does not consume it.

    Columns out:
        SECTION   VARCHAR         not null; rows, pending, rejected, latest or offsets NAME      VARCHAR
        not null; a table, a stream, a list of reasons, a time's name, topic/partition AMOUNT
        NUMBER(38,0)    the number, where it is one MOMENT    TIMESTAMP_NTZ   the time in UTC, where it is
        one
    Grain: SECTION, NAME.
    """
    parts = [
        *(_count(session, ROWS, table) for table in names.TABLES),
        *(_count(session, PENDING, stream) for stream in names.STREAMS),
        _rejected(session),
        *(_latest(session, name, table, time) for name, (table, time) in _times().items()),
        _offsets(session),
    ]
    return reduce(DataFrame.union_all, parts)


def _times() -> dict[str, tuple[str, Column]]:
    ingested = F.convert_timezone(F.lit("UTC"), F.col("INGESTION_TIME")).cast(UTC_TIME)
    return {
        "ingested": (names.RAW_EVENTS, ingested),
        "order_event": (names.STG_ORDERS, F.col("EVENT_TIMESTAMP")),
        "adjustment_event": (names.STG_INVENTORY_ADJUSTMENTS, F.col("EVENT_TIMESTAMP")),
        "orders_staged": (names.STG_ORDERS, F.col("STAGED_AT")),
        "adjustments_staged": (names.STG_INVENTORY_ADJUSTMENTS, F.col("STAGED_AT")),
        "orders_produced": (names.ORDERS, F.col("UPDATED_AT")),
        "history_produced": (names.INVENTORY_HISTORY, F.col("UPDATED_AT")),
        "stock_produced": (names.INVENTORY_CURRENT, F.col("UPDATED_AT")),
    }


def _observed(section: str, name: Column, amount: Column, moment: Column) -> list[Column]:
    return [
        F.lit(section).alias("SECTION"),
        name.alias("NAME"),
        amount.cast(INTEGER).alias("AMOUNT"),
        moment.cast(UTC_TIME).alias("MOMENT"),
    ]


def _count(session: Session, section: str, table: str) -> DataFrame:
    counted = session.table(table).agg(F.count(F.lit(1)).alias("AMOUNT"))
    return counted.select(*_observed(section, F.lit(table), F.col("AMOUNT"), F.lit(None)))


def _rejected(session: Session) -> DataFrame:
    """How many events wait, by their list of reasons as JSON text."""
    waiting = session.table(names.REJECTED_EVENTS).filter(F.col("REPLAYED_AT").is_null())
    listed = waiting.select(F.col("REASONS").cast(TEXT).alias("REASONS"))
    counted = listed.group_by("REASONS").agg(F.count(F.lit(1)).alias("AMOUNT"))
    return counted.select(*_observed(REJECTED, F.col("REASONS"), F.col("AMOUNT"), F.lit(None)))


def _latest(session: Session, name: str, table: str, time: Column) -> DataFrame:
    latest = session.table(table).select(time.alias("MOMENT")).agg(F.max("MOMENT").alias("MOMENT"))
    return latest.select(*_observed(LATEST, F.lit(name), F.lit(None), F.col("MOMENT")))


def _offsets(session: Session) -> DataFrame:
    place = F.concat(F.col("TOPIC"), F.lit("/"), F.col("PARTITION").cast(TEXT))
    return session.table(names.KAFKA_OFFSETS).select(
        *_observed(OFFSETS, place, F.col("NEXT_OFFSET"), F.lit(None))
    )
