"""Transforms from RAW to STAGING: every event becomes a typed row, a rejected event or a known duplicate.

For any set of raw events, the rows of `new_orders`, `new_adjustments`, `rejected_events` and
`duplicate_events` add up to the events, one row each.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

from snowflake.snowpark import Column, DataFrame, Window
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import StructType

from caves_snowpark import schemas
from caves_snowpark.event_contract import (
    EVENT_TYPES,
    INVENTORY_ADJUSTED,
    MISSING_EVENT_TYPE,
    NOT_JSON_OBJECT,
    ORDER_CREATED,
    UNKNOWN_EVENT_TYPE,
    EventType,
    Field,
    Text,
)
from caves_snowpark.fields import is_json_string, is_missing, json_text, typed_value
from caves_snowpark.schemas import INTEGER, TEXT, UTC_TIME

# What of a raw row goes along with its typed values.
_RAW: Final = ("EVENT_TYPE", "EVENT_CONTENT", "EVENT_METADATA", "INGESTION_TIME")
_SOURCE: Final = ("SOURCE_TOPIC", "SOURCE_PARTITION", "SOURCE_OFFSET")
_CARRIED: Final = (*_RAW, *_SOURCE, "CONTENT_HASH")

# The first delivery of an event is the one that counts; the others are its repeats.
_DELIVERIES: Final = Window.partition_by("CONTENT_HASH").order_by(
    F.col("SOURCE_OFFSET").asc(), F.col("SOURCE_PARTITION").asc(), F.col("SOURCE_TOPIC").asc()
)


def orders(events: DataFrame) -> DataFrame:
    """Every ORDER_CREATED event, typed, with the reasons to reject it.

    Columns in (RAW_DATA.RAW_EVENTS_STREAM or its stream):
        EVENT_TYPE       VARCHAR
        EVENT_CONTENT    VARIANT         the event, or a string when it is not a JSON object
        EVENT_METADATA   OBJECT          topic, partition, offset, ...
        INGESTION_TIME   TIMESTAMP_LTZ
    Columns out:
        those in; SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, CONTENT_HASH;
        the columns of event_contract.ORDER_CREATED, each NULL where the event has no valid value;
        REASONS          ARRAY           not null; empty when the event keeps the contract
    Grain: one row per event of this type. Empty in, empty out.
    """
    return _judged(_typed(_with_default_total(_texts(events, ORDER_CREATED)), ORDER_CREATED), ORDER_CREATED)


def adjustments(events: DataFrame) -> DataFrame:
    """Every INVENTORY_ADJUSTED event, typed, with the reasons to reject it.

    Columns in and out, grain and rows: as `orders`, with the columns of event_contract.INVENTORY_ADJUSTED.
    """
    return _judged(_typed(_texts(events, INVENTORY_ADJUSTED), INVENTORY_ADJUSTED), INVENTORY_ADJUSTED)


def new_orders(events: DataFrame, staged: DataFrame) -> DataFrame:
    """The orders to stage: valid, not staged yet, and each content once, as first delivered.

    Columns in: raw events, as for `orders`; CONTENT_HASH of STAGING.STG_ORDERS.
    Columns out (STAGING.STG_ORDERS): all, in order.
    Grain: CONTENT_HASH. Rows: never more than the events; empty in, empty out.
    """
    return _first_deliveries(orders(events), staged, schemas.STG_ORDERS)


def new_adjustments(events: DataFrame, staged: DataFrame) -> DataFrame:
    """The stock adjustments to stage: valid, not staged yet, and each content once, as first delivered.

    Columns in: raw events, as for `orders`; CONTENT_HASH of STAGING.STG_INVENTORY_ADJUSTMENTS.
    Columns out (STAGING.STG_INVENTORY_ADJUSTMENTS): all, in order.
    Grain: CONTENT_HASH. Rows: never more than the events; empty in, empty out.
    """
    return _first_deliveries(adjustments(events), staged, schemas.STG_INVENTORY_ADJUSTMENTS)


def rejected_events(events: DataFrame) -> DataFrame:
    """The events that break the contract, whole, with every reason that holds.

    Columns in: raw events, as for `orders`.
    Columns out (STAGING.REJECTED_EVENTS): all, in order; REPLAYED_AT is NULL.
    Grain: one row per such event. Empty in, empty out.
    """
    return (
        _rejected(orders(events))
        .union_all(_rejected(adjustments(events)))
        .union_all(_rejected(_unrecognised(events)))
    )


def duplicate_events(events: DataFrame, staged_orders: DataFrame, staged_adjustments: DataFrame) -> DataFrame:
    """The valid events whose content is staged already or stands earlier among these events.

    To be taken before `new_orders` and `new_adjustments` are written, or every event is its own repeat.

    Columns in: raw events, as for `orders`; CONTENT_HASH of the two staging tables.
    Columns out (STAGING.DUPLICATE_EVENTS): all, in order.
    Grain: one row per repeated delivery. Empty in, empty out.
    """
    return _repeats(orders(events), staged_orders, ORDER_CREATED).union_all(
        _repeats(adjustments(events), staged_adjustments, INVENTORY_ADJUSTED)
    )


def acceptable_deliveries(events: DataFrame) -> DataFrame:
    """The events that keep today's contract, by `delivery`: what a replay may take back.

    Columns in (STAGING.REJECTED_EVENTS): as for `orders`.
    Columns out: DELIVERY VARCHAR not null.
    Grain: one row per valid event. Empty in, empty out.
    """
    return (
        _accepted(orders(events))
        .select(delivery().alias("DELIVERY"))
        .union_all(_accepted(adjustments(events)).select(delivery().alias("DELIVERY")))
    )


def delivery() -> Column:
    """What tells one delivery of an event from every other: its content and its Kafka coordinates."""
    return _delivery(F.col("CONTENT_HASH"))


def raw_delivery() -> Column:
    """`delivery`, for a row of STAGING.REJECTED_EVENTS, which keeps the event itself and not its hash."""
    return _delivery(_content_hash())


def _delivery(content: Column) -> Column:
    source = [F.coalesce(F.col(name).cast(TEXT), F.lit("")) for name in _SOURCE]
    return F.concat(content, *(part for column in source for part in (F.lit("/"), column)))


def _content_hash() -> Column:
    """The SHA-256 of EVENT_CONTENT's text: equal for a redelivery, different for another version."""
    return F.sha2(F.col("EVENT_CONTENT").cast(TEXT), 256)


def _event_type() -> Column:
    return F.coalesce(F.col("EVENT_CONTENT")["event_type"].cast(TEXT), F.lit(""))


def _coordinates() -> list[Column]:
    metadata = F.col("EVENT_METADATA")
    return [
        metadata["topic"].cast(TEXT).alias("SOURCE_TOPIC"),
        F.try_cast(metadata["partition"].cast(TEXT), INTEGER).alias("SOURCE_PARTITION"),
        F.try_cast(metadata["offset"].cast(TEXT), INTEGER).alias("SOURCE_OFFSET"),
    ]


def _text(field: Field) -> str:
    return f"{field.column}_TEXT"


def _is_string(field: Field) -> str:
    return f"{field.column}_IS_STRING"


def _text_columns(event_type: EventType) -> list[str]:
    strings = [_is_string(field) for field in event_type.fields if isinstance(field.kind, Text)]
    return [*(_text(field) for field in event_type.fields), *strings]


def _texts(events: DataFrame, event_type: EventType) -> DataFrame:
    """The events of one type with the text of each field: the one place that reads the JSON."""
    event = F.col("EVENT_CONTENT")
    texts = [json_text(event, field).alias(_text(field)) for field in event_type.fields]
    strings = [
        is_json_string(event, field).alias(_is_string(field))
        for field in event_type.fields
        if isinstance(field.kind, Text)
    ]
    return events.filter(_event_type() == F.lit(event_type.name)).select(
        *_RAW, *_coordinates(), _content_hash().alias("CONTENT_HASH"), *texts, *strings
    )


def _with_default_total(texts: DataFrame) -> DataFrame:
    """The texts of orders, where an absent total is the text of quantity x unit_price."""
    fields = {field.column: field for field in ORDER_CREATED.fields}
    total, quantity, price = fields["TOTAL_AMOUNT"], fields["QUANTITY"], fields["UNIT_PRICE"]
    product = _value(quantity) * _value(price)
    return texts.select(
        *_CARRIED,
        *(column for column in _text_columns(ORDER_CREATED) if column != _text(total)),
        F.iff(is_missing(F.col(_text(total))), product.cast(TEXT), F.col(_text(total))).alias(_text(total)),
    )


def _value(field: Field) -> Column:
    is_string = F.col(_is_string(field)) if isinstance(field.kind, Text) else F.lit(False)
    return typed_value(F.col(_text(field)), is_string, field.kind)


def _typed(texts: DataFrame, event_type: EventType) -> DataFrame:
    return texts.select(
        *_CARRIED,
        *(_text(field) for field in event_type.fields),
        *(_value(field).alias(field.column) for field in event_type.fields),
    )


def _judged(typed: DataFrame, event_type: EventType) -> DataFrame:
    reasons = [reason for field in event_type.fields for reason in _reasons(field)]
    return typed.select(
        *_CARRIED,
        *(field.column for field in event_type.fields),
        F.array_construct_compact(*reasons).alias("REASONS"),
    )


def _reasons(field: Field) -> list[Column]:
    """The field's reasons: at most one of them is not NULL."""
    missing = is_missing(F.col(_text(field)))
    invalid = ~missing & F.col(field.column).is_null()
    reasons = [F.iff(invalid, F.lit(field.invalid), F.lit(None))]
    if field.required:
        reasons.append(F.iff(missing, F.lit(field.missing), F.lit(None)))
    return reasons


def _unrecognised(events: DataFrame) -> DataFrame:
    """The events of no type that the contract knows."""
    known = [F.lit(event_type.name) for event_type in EVENT_TYPES]
    reason = (
        F.when(
            F.coalesce(F.typeof(F.col("EVENT_CONTENT")), F.lit("")) != F.lit("OBJECT"), F.lit(NOT_JSON_OBJECT)
        )
        .when(F.trim(_event_type()) == F.lit(""), F.lit(MISSING_EVENT_TYPE))
        .otherwise(F.lit(UNKNOWN_EVENT_TYPE))
    )
    return events.filter(~_event_type().in_(*known)).select(
        *_RAW, *_coordinates(), F.array_construct_compact(reason).alias("REASONS")
    )


def _accepted(judged: DataFrame) -> DataFrame:
    return judged.filter(F.array_size(F.col("REASONS")) == F.lit(0))


def _rejected(judged: DataFrame) -> DataFrame:
    return judged.filter(F.array_size(F.col("REASONS")) > F.lit(0)).select(
        "EVENT_TYPE",
        "EVENT_CONTENT",
        "EVENT_METADATA",
        "REASONS",
        *_SOURCE,
        F.convert_timezone(F.lit("UTC"), F.col("INGESTION_TIME")).cast(UTC_TIME).alias("INGESTION_TIME"),
        F.sysdate().alias("REJECTED_AT"),
        F.lit(None).cast(UTC_TIME).alias("REPLAYED_AT"),
    )


def _numbered(judged: DataFrame, *columns: str) -> DataFrame:
    """The valid events, those of the same content numbered in order of delivery."""
    return _accepted(judged).select(*columns, F.row_number().over(_DELIVERIES).alias("DELIVERED"))


def _is_staged(staged: DataFrame) -> Column:
    return F.col("CONTENT_HASH").in_(staged.select("CONTENT_HASH"))


def _first_deliveries(judged: DataFrame, staged: DataFrame, schema: StructType) -> DataFrame:
    columns = [name for name in schemas.columns(schema) if name != "STAGED_AT"]
    return (
        _numbered(judged, *columns)
        .filter((F.col("DELIVERED") == F.lit(1)) & ~_is_staged(staged))
        .select(*columns, F.sysdate().alias("STAGED_AT"))
    )


def _repeats(judged: DataFrame, staged: DataFrame, event_type: EventType) -> DataFrame:
    return (
        _numbered(judged, event_type.key, "CONTENT_HASH", *_SOURCE)
        .filter((F.col("DELIVERED") > F.lit(1)) | _is_staged(staged))
        .select(
            F.lit(event_type.name).alias("EVENT_TYPE"),
            F.col(event_type.key).alias("EVENT_KEY"),
            "CONTENT_HASH",
            *_SOURCE,
            F.sysdate().alias("DETECTED_AT"),
        )
    )
