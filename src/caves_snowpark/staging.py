"""Transforms from RAW to STAGING: every event becomes a typed row, a rejected event or a known duplicate.

For any set of raw events, the rows of `new_orders`, `new_adjustments`, `rejected_events` and
`duplicate_events` add up to the events, one row each.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

from snowflake.snowpark import Column, DataFrame, Window
from snowflake.snowpark import functions as F

from caves_snowpark import names, schemas
from caves_snowpark.event_contract import (
    EVENT_TYPES,
    FIELDS,
    MISSING_EVENT_TYPE,
    NOT_JSON_OBJECT,
    ORDER_CREATED,
    PAYLOAD_REFUSED,
    PAYLOAD_TOO_LARGE,
    UNKNOWN_EVENT_TYPE,
    EventType,
    Field,
    Instant,
    Number,
    Text,
)
from caves_snowpark.fields import (
    is_json_string,
    is_missing,
    iso_text,
    iso_zone,
    json_text,
    number,
    string,
    utc_time,
)
from caves_snowpark.schemas import INTEGER, TEXT, UTC_TIME

# What of a raw row goes along with its typed values.
_RAW: Final = ("EVENT_TYPE", "EVENT_CONTENT", "EVENT_METADATA", "INGESTION_TIME")
_SOURCE: Final = ("SOURCE_TOPIC", "SOURCE_PARTITION", "SOURCE_OFFSET")
_CARRIED: Final = (*_RAW, *_SOURCE, "CONTENT_HASH", "KIND", "CONTENT_TYPE", "REFUSAL")

# The first delivery of an event is the one that counts; the others are its repeats.
_DELIVERIES: Final = Window.partition_by("IS_VALID", "CONTENT_HASH").order_by(
    F.col("SOURCE_OFFSET").asc(), F.col("SOURCE_PARTITION").asc(), F.col("SOURCE_TOPIC").asc()
)

# Columns of STAGING that `placed_events` has under another name.
_PLACED_AS: Final = {
    names.STG_ORDERS: {"STAGED_AT": "PLACED_AT"},
    names.STG_INVENTORY_ADJUSTMENTS: {"STAGED_AT": "PLACED_AT"},
    names.REJECTED_EVENTS: {
        "INGESTION_TIME": "INGESTED_AT",
        "REJECTED_AT": "PLACED_AT",
        "REPLAYED_AT": "NULL",
        "DISMISSED_AT": "NULL",
    },
    names.DUPLICATE_EVENTS: {"EVENT_TYPE": "EVENT_KIND", "DETECTED_AT": "PLACED_AT"},
}
# For each table that an event may go to: its columns, and what `placed_events` calls them.
PLACES: Final = {
    table: {column: other.get(column, column) for column in schemas.columns(schemas.TABLES[table])}
    for table, other in _PLACED_AS.items()
}


def classified_events(events: DataFrame) -> DataFrame:
    """Every event, typed by the contract, with the reasons to reject it.

    Columns in (RAW_DATA.RAW_EVENTS_STREAM, its stream, or STAGING.REJECTED_EVENTS):
        EVENT_TYPE       VARCHAR
        EVENT_CONTENT    VARIANT     the event, or a string when it is not a JSON object
        EVENT_METADATA   OBJECT      topic, partition, offset, ...
        INGESTION_TIME   TIMESTAMP
    Columns out:
        those in; SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET
        CONTENT_HASH     VARCHAR     see `content_hash`
        KIND             VARCHAR     not null; what the event says it is, empty when it does not say
        one column per field of the contract, NULL where the event has no valid value
        REASONS          ARRAY       not null; empty when the event keeps the contract
    Grain: one row per event. Empty in, empty out.
    """
    return _judged(_typed(_prepared(_texts(events))))


def placed_events(events: DataFrame, staged_orders: DataFrame, staged_adjustments: DataFrame) -> DataFrame:
    """Every event, with the table of STAGING that it goes to.

    The first delivery of a valid content is staged, unless it is already; the others are its repeats.

    Columns in: as for `classified_events`; CONTENT_HASH of the two staging tables.
    Columns out: those of `classified_events`, without KIND, CONTENT_TYPE and REFUSAL; and
        DESTINATION      VARCHAR         not null; the table's name, a key of PLACES
        EVENT_KIND       VARCHAR         not null; what the event says it is
        EVENT_KEY        VARCHAR         the order's or the adjustment's
        INGESTED_AT      TIMESTAMP_NTZ   INGESTION_TIME in UTC
        PLACED_AT        TIMESTAMP_NTZ   not null, UTC
    Grain: one row per event. Empty in, empty out.
    """
    hashes = events.select(
        content_hash(F.col("EVENT_CONTENT"), F.col("EVENT_METADATA")).alias("CONTENT_HASH")
    )
    is_repeat = (F.col("DELIVERED") > F.lit(1)) | F.col("IS_STAGED_ORDER") | F.col("IS_STAGED_ADJUSTMENT")
    destination = (
        F.when(~F.col("IS_VALID"), F.lit(names.REJECTED_EVENTS))
        .when(is_repeat, F.lit(names.DUPLICATE_EVENTS))
        .when(_is_of((ORDER_CREATED,)), F.lit(names.STG_ORDERS))
        .otherwise(F.lit(names.STG_INVENTORY_ADJUSTMENTS))
    )
    carried = ("EVENT_TYPE", "EVENT_CONTENT", "EVENT_METADATA", *_SOURCE, "CONTENT_HASH", "REASONS")
    fields = [field.column for field in FIELDS]
    read = (*carried, *fields, "KIND", "INGESTION_TIME")
    return (
        classified_events(events)
        .select(
            *read,
            (F.array_size(F.col("REASONS")) == F.lit(0)).alias("IS_VALID"),
            # Columns of their own: not every place within an expression takes a subquery in Snowflake.
            _is_staged(staged_orders, hashes).alias("IS_STAGED_ORDER"),
            _is_staged(staged_adjustments, hashes).alias("IS_STAGED_ADJUSTMENT"),
        )
        .select(
            *read,
            "IS_VALID",
            "IS_STAGED_ORDER",
            "IS_STAGED_ADJUSTMENT",
            F.row_number().over(_DELIVERIES).alias("DELIVERED"),
        )
        .select(
            *carried,
            *fields,
            destination.alias("DESTINATION"),
            F.col("KIND").alias("EVENT_KIND"),
            _event_key().alias("EVENT_KEY"),
            _utc(F.col("INGESTION_TIME")).alias("INGESTED_AT"),
            F.sysdate().alias("PLACED_AT"),
        )
    )


def accepted_events(events: DataFrame) -> DataFrame:
    """The events that keep the contract. Columns: as `classified_events`."""
    return classified_events(events).filter(F.array_size(F.col("REASONS")) == F.lit(0))


def delivery(content_hash: Column) -> Column:
    """What tells one delivery of an event from every other: its content and its Kafka coordinates."""
    source = [F.coalesce(F.col(name).cast(TEXT), F.lit("")) for name in _SOURCE]
    return F.concat(content_hash, *(part for column in source for part in (F.lit("/"), column)))


def content_hash(event: Column, metadata: Column) -> Column:
    """The SHA-256 of an event's text: equal for a redelivery, different for another version.

    Of an event that was made nameless it stands in the metadata, which the ingestor writes and no shop.
    """
    return F.coalesce(metadata["content_hash"].cast(TEXT), F.sha2(event.cast(TEXT), 256))


def source_partition(metadata: Column) -> Column:
    return F.try_cast(metadata["partition"].cast(TEXT), INTEGER)


def source_offset(metadata: Column) -> Column:
    return F.try_cast(metadata["offset"].cast(TEXT), INTEGER)


def source_topic(metadata: Column) -> Column:
    """The topic, and `topic@1` for the first log that replaced one of this name: its offsets begin anew."""
    topic, generation = metadata["topic"].cast(TEXT), metadata["generation"].cast(TEXT)
    return F.iff(generation.is_null(), topic, F.concat(topic, F.lit("@"), generation))


def _texts(events: DataFrame) -> DataFrame:
    """The events with the text of every field: the one place that reads the JSON."""
    event, metadata = F.col("EVENT_CONTENT"), F.col("EVENT_METADATA")
    return events.select(
        *_RAW,
        source_topic(metadata).alias("SOURCE_TOPIC"),
        source_partition(metadata).alias("SOURCE_PARTITION"),
        source_offset(metadata).alias("SOURCE_OFFSET"),
        content_hash(event, metadata).alias("CONTENT_HASH"),
        F.coalesce(json_text(event, "event_type"), F.lit("")).alias("KIND"),
        F.coalesce(F.typeof(event), F.lit("")).alias("CONTENT_TYPE"),
        F.coalesce(metadata["refusal"].cast(TEXT), F.lit("")).alias("REFUSAL"),
        *(json_text(event, field.name).alias(_text(field)) for field in FIELDS),
        *(is_json_string(event, field.name).alias(_is_string(field)) for field in FIELDS if _is_text(field)),
    )


def _prepared(texts: DataFrame) -> DataFrame:
    """The texts, with the offset of each time, and the text of quantity x unit_price for an absent total."""
    times = [field for field in FIELDS if isinstance(field.kind, Instant)]
    total = _field("TOTAL_AMOUNT")
    product = _value(_field("QUANTITY")) * _value(_field("UNIT_PRICE"))
    others = [field for field in FIELDS if field not in times and field != total]
    return texts.select(
        *_CARRIED,
        *(_text(field) for field in others),
        *(_is_string(field) for field in others if _is_text(field)),
        F.iff(is_missing(F.col(_text(total))), product.cast(TEXT), F.col(_text(total))).alias(_text(total)),
        *(iso_text(F.col(_text(field))).alias(_text(field)) for field in times),
        *(iso_zone(iso_text(F.col(_text(field)))).alias(_zone(field)) for field in times),
    )


def _typed(prepared: DataFrame) -> DataFrame:
    return prepared.select(
        *_CARRIED,
        *(_text(field) for field in FIELDS),
        *(_value(field).alias(field.column) for field in FIELDS),
    )


def _judged(typed: DataFrame) -> DataFrame:
    field_reasons = [reason for field in FIELDS for reason in _reasons(field)]
    return typed.select(
        *_CARRIED,
        *(field.column for field in FIELDS),
        F.array_construct_compact(_kind_reason(), *field_reasons).alias("REASONS"),
    )


def _value(field: Field) -> Column:
    text = F.col(_text(field))
    match field.kind:
        case Text():
            return string(text, F.col(_is_string(field)))
        case Instant():
            return utc_time(text, F.col(_zone(field)))
        case Number():
            return number(text, field.kind)


def _kind_reason() -> Column:
    """Why an event is of no type that the contract knows; NULL when it is of one."""
    return (
        F.when(F.col("REFUSAL") == F.lit(PAYLOAD_TOO_LARGE), F.lit(PAYLOAD_TOO_LARGE))
        .when(F.col("REFUSAL") == F.lit(PAYLOAD_REFUSED), F.lit(PAYLOAD_REFUSED))
        .when(F.col("CONTENT_TYPE") != F.lit("OBJECT"), F.lit(NOT_JSON_OBJECT))
        .when(is_missing(F.col("KIND")), F.lit(MISSING_EVENT_TYPE))
        .when(~_is_of(EVENT_TYPES), F.lit(UNKNOWN_EVENT_TYPE))
        .otherwise(F.lit(None))
    )


def _reasons(field: Field) -> list[Column]:
    """The field's reasons, NULL where they do not hold or the event's type has no such field."""
    missing = is_missing(F.col(_text(field)))
    having = tuple(event_type for event_type in EVENT_TYPES if field in event_type.fields)
    invalid = _is_of(having) & ~missing & F.col(field.column).is_null()
    reasons = [F.iff(invalid, F.lit(field.invalid), F.lit(None))]
    if field.required:
        reasons.append(F.iff(_is_of(having) & missing, F.lit(field.missing), F.lit(None)))
    return reasons


def _is_of(event_types: tuple[EventType, ...]) -> Column:
    return F.col("KIND").in_([F.lit(event_type.name) for event_type in event_types])


def _event_key() -> Column:
    return F.iff(_is_of((ORDER_CREATED,)), F.col("ORDER_ID"), F.col("ADJUSTMENT_ID"))


def _utc(time: Column) -> Column:
    return F.convert_timezone(F.lit("UTC"), time).cast(UTC_TIME)


def _is_staged(staged: DataFrame, hashes: DataFrame) -> Column:
    """Whether an event's content stands in staging.

    Staging is reduced to the contents of these events first: a warehouse then keeps those few in memory to
    go through all that was ever staged, and not the other way round.
    """
    of_these = staged.select("CONTENT_HASH").filter(F.col("CONTENT_HASH").in_(hashes))
    return F.col("CONTENT_HASH").in_(of_these)


def _field(column: str) -> Field:
    return next(field for field in FIELDS if field.column == column)


def _is_text(field: Field) -> bool:
    return isinstance(field.kind, Text)


def _text(field: Field) -> str:
    return f"{field.column}_TEXT"


def _is_string(field: Field) -> str:
    return f"{field.column}_IS_STRING"


def _zone(field: Field) -> str:
    return f"{field.column}_ZONE"
