"""The columns of every table, in the order of `deploy/`, as Snowpark types.

A `StructType` is the one description that transforms, loads, the ingestor and the tests share. Column order
is part of it: `INSERT` statements are written by position.
"""

from typing import Final

from snowflake.snowpark.types import (
    ArrayType,
    DataType,
    DateType,
    DecimalType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampTimeZone,
    TimestampType,
    VariantType,
)

from caves_snowpark import names

TEXT: Final = StringType()
INTEGER: Final = DecimalType(38, 0)
MONEY: Final = DecimalType(12, 2)
LITRES: Final = DecimalType(6, 3)
DATE: Final = DateType()
UTC_TIME: Final = TimestampType(TimestampTimeZone.NTZ)
LOCAL_TIME: Final = TimestampType(TimestampTimeZone.LTZ)
OBJECT: Final = MapType()
ARRAY: Final = ArrayType()
VARIANT: Final = VariantType()


def _optional(name: str, datatype: DataType) -> StructField:
    return StructField(name, datatype, nullable=True)


def _required(name: str, datatype: DataType) -> StructField:
    return StructField(name, datatype, nullable=False)


# Where on Kafka a row came from.
_SOURCE: Final = [
    _optional("SOURCE_TOPIC", TEXT),
    _optional("SOURCE_PARTITION", INTEGER),
    _optional("SOURCE_OFFSET", INTEGER),
]

RAW_EVENTS: Final = StructType(
    [
        _optional("EVENT_TYPE", TEXT),
        _optional("PRODUCT_ID", INTEGER),
        _optional("CUSTOMER_ID", INTEGER),
        _optional("EVENT_METADATA", OBJECT),
        _optional("EVENT_CONTENT", VARIANT),
        _optional("INGESTION_TIME", LOCAL_TIME),
    ]
)

KAFKA_OFFSETS: Final = StructType(
    [
        _required("TOPIC", TEXT),
        _required("PARTITION", INTEGER),
        _required("NEXT_OFFSET", INTEGER),
        _required("FIRST_OFFSET", INTEGER),
        _required("UPDATED_AT", UTC_TIME),
        _optional("TOPIC_ID", TEXT),
        _optional("LOG_GENERATION", INTEGER),
    ]
)

KAFKA_OFFSET_GAPS: Final = StructType(
    [
        _required("TOPIC", TEXT),
        _required("LOG_GENERATION", INTEGER),
        _required("PARTITION", INTEGER),
        _required("FROM_OFFSET", INTEGER),
        _optional("TO_OFFSET", INTEGER),
        _required("REASON", TEXT),
        _optional("RESET_POLICY", TEXT),
        _optional("FIRST_OFFSET", INTEGER),
        _required("DETECTED_AT", UTC_TIME),
    ]
)

STG_ORDERS: Final = StructType(
    [
        _required("ORDER_ID", TEXT),
        _required("EVENT_TIMESTAMP", UTC_TIME),
        _required("CUSTOMER_ID", INTEGER),
        _required("PRODUCT_ID", INTEGER),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("QUANTITY", INTEGER),
        _required("UNIT_PRICE", MONEY),
        _optional("DISCOUNT", MONEY),
        _required("TOTAL_AMOUNT", MONEY),
        _optional("SALES_CHANNEL", TEXT),
        _optional("PAYMENT_METHOD", TEXT),
        _optional("SHIPPING_ADDRESS", TEXT),
        _optional("BOTTLE_SIZE_L", LITRES),
        _optional("SOURCE_SERVICE", TEXT),
        _required("CONTENT_HASH", TEXT),
        *_SOURCE,
        _required("STAGED_AT", UTC_TIME),
    ]
)

STG_INVENTORY_ADJUSTMENTS: Final = StructType(
    [
        _required("ADJUSTMENT_ID", TEXT),
        _required("EVENT_TIMESTAMP", UTC_TIME),
        _required("PRODUCT_ID", INTEGER),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("WAREHOUSE_LOCATION", TEXT),
        _required("QUANTITY_CHANGE", INTEGER),
        _required("ADJUSTMENT_TYPE", TEXT),
        _optional("REASON", TEXT),
        _optional("SOURCE_SERVICE", TEXT),
        _required("CONTENT_HASH", TEXT),
        *_SOURCE,
        _required("STAGED_AT", UTC_TIME),
    ]
)

REJECTED_EVENTS: Final = StructType(
    [
        _optional("EVENT_TYPE", TEXT),
        _optional("EVENT_CONTENT", VARIANT),
        _optional("EVENT_METADATA", OBJECT),
        _optional("REASONS", ARRAY),
        *_SOURCE,
        _optional("INGESTION_TIME", UTC_TIME),
        _required("REJECTED_AT", UTC_TIME),
        _optional("REPLAYED_AT", UTC_TIME),
        _optional("DISMISSED_AT", UTC_TIME),
    ]
)

DUPLICATE_EVENTS: Final = StructType(
    [
        _optional("EVENT_TYPE", TEXT),
        _optional("EVENT_KEY", TEXT),
        _optional("CONTENT_HASH", TEXT),
        *_SOURCE,
        _required("DETECTED_AT", UTC_TIME),
    ]
)

REPLAY_LOG: Final = StructType(
    [
        _required("DECISION", TEXT),
        _optional("OUTCOME", TEXT),
        *_SOURCE,
        _optional("REASONS", ARRAY),
        _optional("CORRECTED_CONTENT", VARIANT),
        _optional("NOTE", TEXT),
        _required("ACTED_BY", TEXT),
        _required("ACTED_AT", UTC_TIME),
    ]
)

DEAD_LETTER_OFFSETS: Final = StructType(
    [
        _required("DEAD_LETTER_TOPIC", TEXT),
        _required("SOURCE_TOPIC", TEXT),
        _required("SOURCE_PARTITION", INTEGER),
        _required("NEXT_OFFSET", INTEGER),
        _required("UPDATED_AT", UTC_TIME),
    ]
)

ORDERS: Final = StructType(
    [
        _required("ORDER_ID", TEXT),
        _required("ORDER_DATE", DATE),
        _required("ORDER_TIMESTAMP", UTC_TIME),
        _required("CUSTOMER_ID", INTEGER),
        _required("PRODUCT_ID", INTEGER),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("QUANTITY", INTEGER),
        _required("UNIT_PRICE", MONEY),
        _optional("DISCOUNT", MONEY),
        _required("TOTAL_AMOUNT", MONEY),
        _optional("SALES_CHANNEL", TEXT),
        _optional("PAYMENT_METHOD", TEXT),
        _optional("SHIPPING_ADDRESS", TEXT),
        _optional("BOTTLE_SIZE_L", LITRES),
        _required("CREATED_AT", UTC_TIME),
        _required("UPDATED_AT", UTC_TIME),
        *_SOURCE,
    ]
)

INVENTORY_HISTORY: Final = StructType(
    [
        _required("ADJUSTMENT_ID", TEXT),
        _required("ADJUSTMENT_DATE", DATE),
        _required("ADJUSTMENT_TIMESTAMP", UTC_TIME),
        _required("PRODUCT_ID", INTEGER),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("WAREHOUSE_LOCATION", TEXT),
        _required("QUANTITY_CHANGE", INTEGER),
        _required("ADJUSTMENT_TYPE", TEXT),
        _optional("REASON", TEXT),
        _required("CREATED_AT", UTC_TIME),
        _required("UPDATED_AT", UTC_TIME),
        *_SOURCE,
    ]
)

INVENTORY_CURRENT: Final = StructType(
    [
        _required("PRODUCT_ID", INTEGER),
        _required("WAREHOUSE_LOCATION", TEXT),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("CURRENT_STOCK_LEVEL", INTEGER),
        _required("LAST_ADJUSTMENT_TIMESTAMP", UTC_TIME),
        _required("UPDATED_AT", UTC_TIME),
    ]
)

RETENTION: Final = StructType(
    [
        _required("LAYER", TEXT),
        _optional("KEPT_DAYS", INTEGER),
        _required("MEANING", TEXT),
        _required("FORGOTTEN_ROWS", INTEGER),
        _optional("PURGED_AT", UTC_TIME),
    ]
)

PURGED_OFFSETS: Final = StructType(
    [
        _required("SOURCE_TOPIC", TEXT),
        _required("SOURCE_PARTITION", INTEGER),
        _required("PURGED_BEFORE", INTEGER),
        _required("PURGED_ROWS", INTEGER),
        _required("UPDATED_AT", UTC_TIME),
    ]
)

PURGED_ORDERS: Final = StructType(
    [
        _required("ORDER_ID", TEXT),
        _required("EVENT_TIMESTAMP", UTC_TIME),
        _required("CUSTOMER_ID", INTEGER),
        _required("TOTAL_AMOUNT", MONEY),
        _required("CONTENT_HASH", TEXT),
        *_SOURCE,
        _required("PURGED_AT", UTC_TIME),
    ]
)

PURGED_ADJUSTMENTS: Final = StructType(
    [
        _required("ADJUSTMENT_ID", TEXT),
        _required("EVENT_TIMESTAMP", UTC_TIME),
        _required("PRODUCT_ID", INTEGER),
        _optional("PRODUCT_NAME", TEXT),
        _optional("PRODUCT_CATEGORY", TEXT),
        _required("WAREHOUSE_LOCATION", TEXT),
        _required("QUANTITY_CHANGE", INTEGER),
        _required("CONTENT_HASH", TEXT),
        *_SOURCE,
        _required("PURGED_AT", UTC_TIME),
    ]
)

ERASED_CUSTOMERS: Final = StructType(
    [
        _required("CUSTOMER_HASH", TEXT),
        _required("ERASED_AT", UTC_TIME),
        _required("ERASED_BY", TEXT),
        _optional("TOUCHED_ROWS", OBJECT),
    ]
)

ERASURE_KEY: Final = StructType([_required("HASH_KEY", TEXT), _required("MADE_AT", UTC_TIME)])

ALERT_LOG: Final = StructType(
    [
        _required("ALERT_NAME", TEXT),
        _required("SUBJECT", TEXT),
        _required("SEVERITY", TEXT),
        _optional("DETAILS", VARIANT),
        _required("FIRED_AT", UTC_TIME),
        _optional("CLEARED_AT", UTC_TIME),
        _optional("FIRING_SENT_AT", UTC_TIME),
        _optional("CLEARING_SENT_AT", UTC_TIME),
    ]
)

DEPLOYMENTS: Final = StructType(
    [_required("CODE", TEXT), _required("DEPLOYED_AT", UTC_TIME), _required("DEPLOYED_BY", TEXT)]
)

TABLES: Final = {
    names.RAW_EVENTS: RAW_EVENTS,
    names.KAFKA_OFFSETS: KAFKA_OFFSETS,
    names.KAFKA_OFFSET_GAPS: KAFKA_OFFSET_GAPS,
    names.STG_ORDERS: STG_ORDERS,
    names.STG_INVENTORY_ADJUSTMENTS: STG_INVENTORY_ADJUSTMENTS,
    names.REJECTED_EVENTS: REJECTED_EVENTS,
    names.DUPLICATE_EVENTS: DUPLICATE_EVENTS,
    names.REPLAY_LOG: REPLAY_LOG,
    names.DEAD_LETTER_OFFSETS: DEAD_LETTER_OFFSETS,
    names.ORDERS: ORDERS,
    names.INVENTORY_HISTORY: INVENTORY_HISTORY,
    names.INVENTORY_CURRENT: INVENTORY_CURRENT,
    names.RETENTION: RETENTION,
    names.PURGED_OFFSETS: PURGED_OFFSETS,
    names.PURGED_ORDERS: PURGED_ORDERS,
    names.PURGED_ADJUSTMENTS: PURGED_ADJUSTMENTS,
    names.ERASED_CUSTOMERS: ERASED_CUSTOMERS,
    names.ERASURE_KEY: ERASURE_KEY,
    names.ALERT_LOG: ALERT_LOG,
    names.DEPLOYMENTS: DEPLOYMENTS,
}


def columns(schema: StructType) -> list[str]:
    """The column names of a table, in order."""
    return [field.name for field in schema.fields]
