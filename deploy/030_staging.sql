-- Why: every raw row ends in exactly one of the first four tables, so that nothing is lost without a trace.
--      REPLAY_LOG says who then did what with a rejected one.
-- Grain: one row per raw event: accepted order, accepted adjustment, rejected, or duplicate. REPLAY_LOG by rejected
--      event and decision on it; DEAD_LETTER_OFFSETS by DEAD_LETTER_TOPIC, SOURCE_TOPIC and SOURCE_PARTITION.
-- Reads/Writes: OPS.DISTRIBUTE_RAW_EVENTS writes (insert only), as do OPS.REPLAY_REJECTED, CORRECT_REJECTED and
--      DISMISS_REJECTED; three streams read. What copies rejected events to a Kafka topic keeps its place here.
-- Rerun: safe; CREATE OR ALTER adds columns and keeps the rows.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE STAGING.STG_ORDERS (
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

CREATE OR ALTER TABLE STAGING.STG_INVENTORY_ADJUSTMENTS (
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

CREATE OR ALTER TABLE STAGING.REJECTED_EVENTS (
    EVENT_TYPE VARCHAR COMMENT 'as in the raw row',
    EVENT_CONTENT VARIANT COMMENT 'the whole event',
    EVENT_METADATA OBJECT COMMENT 'as in the raw row',
    REASONS ARRAY COMMENT 'every reason code that holds',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    INGESTION_TIME TIMESTAMP_NTZ COMMENT 'when the raw row was loaded, UTC',
    REJECTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when it was rejected, UTC',
    REPLAYED_AT TIMESTAMP_NTZ COMMENT 'when it was taken back, as it was or corrected, UTC',
    DISMISSED_AT TIMESTAMP_NTZ COMMENT 'when an operator decided that it is of no value, UTC'
)
COMMENT = 'Events that the contract refuses, and why';

CREATE OR ALTER TABLE STAGING.DUPLICATE_EVENTS (
    EVENT_TYPE VARCHAR COMMENT 'as in the raw row',
    EVENT_KEY VARCHAR COMMENT 'order_line_id or event_id',
    CONTENT_HASH VARCHAR COMMENT 'SHA-256 of the event',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset',
    DETECTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when it was recognised, UTC'
)
COMMENT = 'Repeats of an event that is already staged; they have no other effect';

CREATE OR ALTER TABLE STAGING.REPLAY_LOG (
    DECISION VARCHAR NOT NULL COMMENT 'REPLAYED, CORRECTED or DISMISSED',
    OUTCOME VARCHAR COMMENT 'STAGED or DUPLICATE; null for DISMISSED',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic of the rejected event',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition of the rejected event',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset of the rejected event',
    REASONS ARRAY COMMENT 'why it had been rejected',
    CORRECTED_CONTENT VARIANT COMMENT 'for CORRECTED: the event that was staged in its place',
    NOTE VARCHAR COMMENT 'why the operator did it',
    ACTED_BY VARCHAR NOT NULL COMMENT 'who called the procedure',
    ACTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC; the REPLAYED_AT or DISMISSED_AT of the rejected event'
)
COMMENT = 'What was done with rejected events; written in the transaction that does it';

CREATE OR ALTER TABLE STAGING.DEAD_LETTER_OFFSETS (
    DEAD_LETTER_TOPIC VARCHAR NOT NULL COMMENT 'the Kafka topic that rejected events are copied to',
    SOURCE_TOPIC VARCHAR NOT NULL COMMENT 'Kafka topic of the rejected events',
    SOURCE_PARTITION NUMBER(38, 0) NOT NULL COMMENT 'Kafka partition of the rejected events',
    NEXT_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'rejected events below it are in the dead-letter topic',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'How far rejected events have been copied to a dead-letter topic';
