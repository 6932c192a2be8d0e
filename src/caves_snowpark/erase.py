"""Erasing a customer: every row that tells of one, changed in one transaction that nothing can slip past.

The transaction first holds the two streams through which events of customers go, so that no task is half-way
with an event that it read before. Orders stay, without a name: what was sold was sold.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final

from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names, schemas
from caves_snowpark.erasure import Erasures, customer_text, known_erasures
from caves_snowpark.loads import Counts, insert, transaction
from caves_snowpark.refused_files import files_of, remove_file
from caves_snowpark.schemas import LOCAL_TIME, OBJECT, TEXT, UTC_TIME
from caves_snowpark.staging import delivery

# What a text that is no event is replaced by.
ERASED_TEXT: Final = "(erased)"


class UnknownCustomerError(Exception):
    """No row is of this customer. Nothing was changed, and nothing is remembered of the number."""

    def __init__(self, customer: int) -> None:
        super().__init__(
            f"Nothing was found of customer {customer}, so nothing was changed. If events of this customer"
            " are still on Kafka, call it again once they are loaded."
        )


@dataclass(frozen=True)
class Change:
    """Rows of a table, and what is written over them."""

    table: str
    rows: Column
    values: dict[str, Column]


def erase(session: Session, customer: int, *, preview: bool = False) -> Counts:
    """Make everything of a customer nameless; rows by table. A preview counts and changes nothing."""
    with transaction(session):
        _hold_others(session)
        erasures = known_erasures(session) or Erasures(session, secrets.token_hex(32))
        changes = list(_changes(erasures, customer))
        files = sorted(files_of(session.table(names.RAW_EVENTS).filter(_is_event_of(customer))))
        if preview:
            return {change.table: _count(session, change) for change in changes} | {"files": len(files)}
        return _erase(erasures, customer, changes, files)


def scrub_late_events(erasures: Erasures, events: DataFrame) -> None:
    """Make nameless what lies in RAW of the events that just came of erased customers."""
    content = F.col("EVENT_CONTENT")
    late = erasures.includes(customer_text(content))
    [found] = (
        events.filter(late)
        .agg(F.count(F.lit(1)).alias("AMOUNT"), F.min("INGESTION_TIME").alias("FIRST"))
        .collect()
    )
    if not found[0]:
        return
    # By time, so that of the table only what was loaded lately is read.
    first = datetime.fromisoformat(found[1].isoformat()) - timedelta(seconds=1)
    recent = F.col("INGESTION_TIME") >= F.lit(first).cast(LOCAL_TIME)
    raw = erasures.session.table(names.RAW_EVENTS)
    raw.update(_nameless_raw(erasures), recent & late)


def _count(session: Session, change: Change) -> int:
    return int(session.table(change.table).filter(change.rows).count())


def _hold_others(session: Session) -> None:
    """Wait for the tasks that read them, and let none begin: who reads a stream in a transaction locks it."""
    for stream in (names.STREAM_RAW_EVENTS, names.STREAM_STG_ORDERS):
        session.table(stream).count()
    # A purge that is half-way with a portion remembers rows as they were: it is waited for, too.
    session.table(names.RETENTION).update({"PURGED_AT": F.col("PURGED_AT")})


def _erase(erasures: Erasures, customer: int, changes: list[Change], files: list[str]) -> Counts:
    session = erasures.session
    known = F.col("CUSTOMER_HASH") == F.lit(erasures.hash_of(customer))
    erased_before = session.table(names.ERASED_CUSTOMERS).filter(known).count()
    touched = {
        change.table: int(session.table(change.table).update(change.values, change.rows).rows_updated)
        for change in changes
    }
    if not erased_before:
        if not any(touched.values()):
            raise UnknownCustomerError(customer)
        _record(erasures, customer, touched)
    # Last, and before COMMIT: if that fails, the call is made again, and a file that is gone is no failure.
    for file in files:
        remove_file(session, file)
    return touched | {"files": len(files)}


def _at(time: datetime) -> Column:
    return F.lit(time).cast(UTC_TIME)


def _record(erasures: Erasures, customer: int, touched: Counts) -> None:
    """Remember the customer by a hash, and what was done without a word of whom."""
    session = erasures.session
    now = datetime.now(UTC).replace(tzinfo=None)
    if not session.table(names.ERASURE_KEY).count():
        # From a table that has the row: a DataFrame of values would be a temporary table, and so DDL.
        one_row = session.table(names.RETENTION).filter(F.col("LAYER") == F.lit("RAW"))
        key = one_row.select(F.lit(erasures.key).alias("HASH_KEY"), _at(now).alias("MADE_AT"))
        insert(key, names.ERASURE_KEY)
    counts = [F.lit(part) for pair in touched.items() for part in pair]
    row = session.table(names.ERASURE_KEY).select(
        F.lit(erasures.hash_of(customer)).alias("CUSTOMER_HASH"),
        _at(now).alias("ERASED_AT"),
        F.current_user().alias("ERASED_BY"),
        F.object_construct(*counts).cast(OBJECT).alias("TOUCHED_ROWS"),
    )
    insert(row, names.ERASED_CUSTOMERS)


def _changes(erasures: Erasures, customer: int) -> Iterator[Change]:
    """In an order in which none takes away what a later one goes by."""
    session = erasures.session
    number = F.lit(customer)
    of_customer = F.col("CUSTOMER_ID") == number
    event = _is_event_of(customer)
    pseudonym = F.lit(erasures.pseudonym_of(customer)).cast(schemas.INTEGER)
    hashed = {"CONTENT_HASH": erasures.hash_again(F.col("CONTENT_HASH"))}
    nobody = {"CUSTOMER_ID": pseudonym, "SHIPPING_ADDRESS": F.lit(None).cast(TEXT)}

    staged = [session.table(name).filter(of_customer) for name in (names.STG_ORDERS, names.PURGED_ORDERS)]
    hashes = reduce(DataFrame.union_all, [rows.select("CONTENT_HASH") for rows in staged])
    yield Change(names.DUPLICATE_EVENTS, F.col("CONTENT_HASH").in_(hashes), hashed)

    place = delivery(F.lit(""))
    rejected = session.table(names.REJECTED_EVENTS).filter(event).select(place.alias("PLACE"))
    corrected = F.col("CORRECTED_CONTENT")
    log = {
        "CORRECTED_CONTENT": F.iff(corrected.is_null(), corrected, erasures.content(corrected)),
        "NOTE": F.lit(ERASED_TEXT),
    }
    yield Change(names.REPLAY_LOG, place.in_(rejected) | _is_of(corrected, customer), log)

    raw = _nameless_raw(erasures)
    yield Change(
        names.REJECTED_EVENTS, event, {name: raw[name] for name in ("EVENT_CONTENT", "EVENT_METADATA")}
    )
    yield Change(names.RAW_EVENTS, event, raw)
    yield Change(names.STG_ORDERS, of_customer, nobody | hashed)
    yield Change(names.PURGED_ORDERS, of_customer, {"CUSTOMER_ID": pseudonym} | hashed)
    yield Change(names.ORDERS, of_customer, nobody)


def _nameless_raw(erasures: Erasures) -> dict[str, Column]:
    """What is written over a raw row."""
    content, metadata = F.col("EVENT_CONTENT"), F.col("EVENT_METADATA")
    is_text = F.typeof(content) == F.lit("VARCHAR")
    pseudonym = erasures.pseudonym(customer_text(content))
    return {
        "EVENT_CONTENT": F.iff(is_text, F.to_variant(F.lit(ERASED_TEXT)), erasures.content(content)),
        "EVENT_METADATA": erasures.metadata(content, metadata),
        "CUSTOMER_ID": F.iff(is_text, F.lit(None).cast(schemas.INTEGER), pseudonym),
    }


def _is_event_of(customer: int) -> Column:
    """Whether a raw or rejected row is of the customer."""
    return _is_of(F.col("EVENT_CONTENT"), customer)


def _is_of(content: Column, customer: int) -> Column:
    """Whether an event is a customer's, or a text that is no event names the customer as one would."""
    squeezed = F.replace(F.replace(content.cast(TEXT), F.lit(" ")), F.lit("\n"))
    named = [f'"customer_id":{quote}{customer}{quote}' for quote in ("", '"')]
    ends = [F.contains(squeezed, F.lit(f"{named[0]}{end}")) for end in (",", "}")]
    text = reduce(
        Column.__or__, [*ends, F.endswith(squeezed, F.lit(named[0])), F.contains(squeezed, F.lit(named[1]))]
    )
    is_text = F.typeof(content) == F.lit("VARCHAR")
    return F.coalesce((customer_text(content) == F.lit(str(customer))) | (is_text & text), F.lit(False))
