-- Why: every raw row ends in exactly one of these four tables, so that nothing is lost without a trace.
-- Grain: one row per raw event: accepted order, accepted adjustment, rejected, or duplicate.
-- Reads/Writes: OPS.DISTRIBUTE_RAW_EVENTS writes (insert only); three streams read.
-- Rerun: safe; tables are created once and never replaced.

USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE TABLE IF NOT EXISTS STAGING.STG_ORDERS (
    ORDER_ID VARCHAR NOT NULL COMMENT 'order_line_id, the order''s key',
    EVENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'event_ts in UTC: when it happened',
    CUSTOMER_ID NUMBER(38, 0) NOT NULL COMMENT 'customer_id',
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'product_id',
    PRODUCT_NAME VARCHAR COMMENT 'product_name',
    PRODUCT_CATEGORY VARCHAR COMMENT 'category',
    QUANTITY NUMBER(38, 0) NOT NULL COMMENT 'quantity, above 0',
    UNIT_PRICE NUMBER(12, 2) NOT NULL COMMENT 'unit_price in euros and cents',
    DISCOUNT NUMBER(12, 2) COMMENT 'discount in euros and cents',
    TOTAL_AMOUNT NUMBER(12, 2) NOT NULL COMMENT 'total_price, or quantity x unit_price',
    SALES_CHANNEL VARCHAR COMMENT 'sales_channel',
    PAYMENT_METHOD VARCHAR COMMENT 'payment_method',
    SHIPPING_ADDRESS VARCHAR COMMENT 'shipping_address',
    BOTTLE_SIZE_L NUMBER(6, 3) COMMENT 'bottle_size_l, litres',
    SOURCE_SERVICE VARCHAR COMMENT 'source_service',
    CONTENT_HASH VARCHAR NOT NULL COMMENT 'SHA-256 of the event; tells a repeat from a new version',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    STAGED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when the row was written, UTC'
)
COMMENT = 'Valid orders: one row per order and version of it';

CREATE TABLE IF NOT EXISTS STAGING.STG_INVENTORY_ADJUSTMENTS (
    ADJUSTMENT_ID VARCHAR NOT NULL COMMENT 'event_id, the adjustment''s key',
    EVENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'event_ts in UTC: when it happened',
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'product_id',
    PRODUCT_NAME VARCHAR COMMENT 'product_name',
    PRODUCT_CATEGORY VARCHAR COMMENT 'category',
    WAREHOUSE_LOCATION VARCHAR NOT NULL COMMENT 'warehouse_location',
    QUANTITY_CHANGE NUMBER(38, 0) NOT NULL COMMENT 'quantity_change, not 0',
    ADJUSTMENT_TYPE VARCHAR NOT NULL COMMENT 'adjustment_type',
    REASON VARCHAR COMMENT 'reason',
    SOURCE_SERVICE VARCHAR COMMENT 'source_service',
    CONTENT_HASH VARCHAR NOT NULL COMMENT 'SHA-256 of the event; tells a repeat from a new version',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    STAGED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when the row was written, UTC'
)
COMMENT = 'Valid stock movements: one row per movement and version of it';

CREATE TABLE IF NOT EXISTS STAGING.REJECTED_EVENTS (
    EVENT_TYPE VARCHAR COMMENT 'as in the raw row',
    EVENT_CONTENT VARIANT COMMENT 'the whole event',
    EVENT_METADATA OBJECT COMMENT 'as in the raw row',
    REASONS ARRAY COMMENT 'every reason code that holds',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    INGESTION_TIME TIMESTAMP_NTZ COMMENT 'when the raw row was loaded, UTC',
    REJECTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when it was rejected, UTC',
    REPLAYED_AT TIMESTAMP_NTZ COMMENT 'when OPS.REPLAY_REJECTED took it back, UTC'
)
COMMENT = 'Events that the contract refuses, and why';

CREATE TABLE IF NOT EXISTS STAGING.DUPLICATE_EVENTS (
    EVENT_TYPE VARCHAR COMMENT 'as in the raw row',
    EVENT_KEY VARCHAR COMMENT 'order_line_id or event_id',
    CONTENT_HASH VARCHAR COMMENT 'SHA-256 of the event',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    DETECTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when it was recognised, UTC'
)
COMMENT = 'Repeats of an event that is already staged; they have no other effect';
