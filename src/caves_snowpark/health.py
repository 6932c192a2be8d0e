"""What an operator asks first, as rows of one query: how much, how fresh, how far behind, what is refused."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any, Final

from snowflake.snowpark import Column, DataFrame, Row, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.dead_letters import is_waiting
from caves_snowpark.schemas import INTEGER, TEXT, UTC_TIME

TABLES: Final = "tables"
STREAMS: Final = "streams"
REJECTED: Final = "rejected"
OFFSETS: Final = "offsets"
GAPS: Final = "gaps"

# The columns that say when a table's rows were written, and when what they tell of happened.
_WRITTEN: Final = {
    names.RAW_EVENTS: "INGESTION_TIME",
    names.KAFKA_OFFSETS: "UPDATED_AT",
    names.KAFKA_OFFSET_GAPS: "DETECTED_AT",
    names.STG_ORDERS: "STAGED_AT",
    names.STG_INVENTORY_ADJUSTMENTS: "STAGED_AT",
    names.REJECTED_EVENTS: "REJECTED_AT",
    names.DUPLICATE_EVENTS: "DETECTED_AT",
    names.REPLAY_LOG: "ACTED_AT",
    names.DEAD_LETTER_OFFSETS: "UPDATED_AT",
    names.ORDERS: "UPDATED_AT",
    names.INVENTORY_HISTORY: "UPDATED_AT",
    names.INVENTORY_CURRENT: "UPDATED_AT",
}
_HAPPENED: Final = {
    names.STG_ORDERS: "EVENT_TIMESTAMP",
    names.STG_INVENTORY_ADJUSTMENTS: "EVENT_TIMESTAMP",
    names.ORDERS: "ORDER_TIMESTAMP",
    names.INVENTORY_HISTORY: "ADJUSTMENT_TIMESTAMP",
    names.INVENTORY_CURRENT: "LAST_ADJUSTMENT_TIMESTAMP",
}


def summary(observed: Iterable[Row]) -> dict[str, Any]:
    """The rows of `observations` as sections: tables, streams, rejected events by reason, offsets, gaps."""
    found: dict[str, dict[str, Any]] = {TABLES: {}, STREAMS: {}, REJECTED: Counter(), OFFSETS: {}, GAPS: {}}
    for section, name, amount, written, happened in sorted(observed, key=_place):
        if section == TABLES:
            found[TABLES][name] = {
                "rows": int(amount),
                "latest_write": _utc(written),
                "latest_event": _utc(happened),
            }
        elif section == REJECTED:
            for reason in json.loads(name or "[]"):
                found[REJECTED][reason] += int(amount)
        else:
            found[section][name] = int(amount)
    return found | {REJECTED: dict(found[REJECTED])}


def _place(row: Row) -> tuple[str, str]:
    return row[0], row[1]


def _utc(time: datetime | None) -> str | None:
    return f"{time.isoformat()}Z" if time else None


def observations(session: Session) -> DataFrame:
    """Everything that PIPELINE_HEALTH reports, read at one moment. Reading a stream does not consume it.

    Columns out:
        SECTION        VARCHAR         not null; tables, streams, rejected, offsets or gaps
        NAME           VARCHAR         not null; a table, a stream, reasons, topic/partition, why a gap
        AMOUNT         NUMBER(38,0)    not null; rows, pending rows, events that wait, next offset, offsets
        LATEST_WRITE   TIMESTAMP_NTZ   UTC; for tables
        LATEST_EVENT   TIMESTAMP_NTZ   UTC; for tables whose rows tell of events
    Grain: SECTION, NAME.
    """
    return reduce(DataFrame.union_all, parts(session))


def parts(session: Session) -> list[DataFrame]:
    """The `observations` of each table, of each stream, of rejected events, offsets and gaps."""
    return [
        *(_table(session, name) for name in names.TABLES),
        *(_stream(session, name) for name in names.STREAMS),
        _rejected(session),
        _offsets(session),
        _gaps(session),
    ]


def _table(session: Session, table: str) -> DataFrame:
    written = F.col(_WRITTEN[table])
    if table == names.RAW_EVENTS:
        written = F.convert_timezone(F.lit("UTC"), written)
    happened = F.col(_HAPPENED[table]) if table in _HAPPENED else F.lit(None)
    counted = (
        session.table(table)
        .select(written.cast(UTC_TIME).alias("WRITTEN"), happened.cast(UTC_TIME).alias("HAPPENED"))
        .agg(
            F.count(F.lit(1)).alias("AMOUNT"),
            F.max("WRITTEN").alias("LATEST_WRITE"),
            F.max("HAPPENED").alias("LATEST_EVENT"),
        )
    )
    return counted.select(*_observed(TABLES, F.lit(table), "AMOUNT"), "LATEST_WRITE", "LATEST_EVENT")


def _stream(session: Session, stream: str) -> DataFrame:
    counted = session.table(stream).agg(F.count(F.lit(1)).alias("AMOUNT"))
    return counted.select(*_observed(STREAMS, F.lit(stream), "AMOUNT"), *_no_times())


def _rejected(session: Session) -> DataFrame:
    """How many events wait, by their list of reasons as JSON text."""
    waiting = session.table(names.REJECTED_EVENTS).filter(is_waiting())
    listed = waiting.select(F.col("REASONS").cast(TEXT).alias("REASONS"))
    counted = listed.group_by("REASONS").agg(F.count(F.lit(1)).alias("AMOUNT"))
    return counted.select(*_observed(REJECTED, F.col("REASONS"), "AMOUNT"), *_no_times())


def _offsets(session: Session) -> DataFrame:
    place = F.concat(F.col("TOPIC"), F.lit("/"), F.col("PARTITION").cast(TEXT))
    return session.table(names.KAFKA_OFFSETS).select(*_observed(OFFSETS, place, "NEXT_OFFSET"), *_no_times())


def _gaps(session: Session) -> DataFrame:
    """Offsets that were passed over, by reason. Where nobody knows how many, the gap counts as one."""
    size = F.coalesce(F.col("TO_OFFSET"), F.col("FROM_OFFSET") + F.lit(1)) - F.col("FROM_OFFSET")
    sized = session.table(names.KAFKA_OFFSET_GAPS).select("REASON", size.alias("OFFSETS"))
    counted = sized.group_by("REASON").agg(F.sum("OFFSETS").alias("AMOUNT"))
    return counted.select(*_observed(GAPS, F.col("REASON"), "AMOUNT"), *_no_times())


def _observed(section: str, name: Column, amount: str) -> list[Column]:
    return [
        F.lit(section).alias("SECTION"),
        name.alias("NAME"),
        F.col(amount).cast(INTEGER).alias("AMOUNT"),
    ]


def _no_times() -> list[Column]:
    return [F.lit(None).cast(UTC_TIME).alias(name) for name in ("LATEST_WRITE", "LATEST_EVENT")]
