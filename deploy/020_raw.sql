-- Why: the events as they came; nothing is filtered, typed or dropped before this table.
-- Grain: one row per Kafka message (EVENT_METADATA:topic, :partition, :offset).
-- Reads/Writes: the ingestor writes; STREAM_RAW_EVENTS reads.
-- Rerun: safe; CREATE OR ALTER adds columns and keeps the rows.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE RAW_DATA.RAW_EVENTS_STREAM (
    EVENT_TYPE VARCHAR COMMENT 'event_type of the JSON object; null when the payload is not an object',
    PRODUCT_ID NUMBER(38, 0) COMMENT 'product_id, where it is an integer',
    CUSTOMER_ID NUMBER(38, 0) COMMENT 'customer_id, where it is an integer',
    EVENT_METADATA OBJECT COMMENT 'topic, partition, offset, timestamp_ms, key, headers, encoding, format',
    EVENT_CONTENT VARIANT COMMENT 'the JSON object, or the payload as a string when it is not one',
    INGESTION_TIME TIMESTAMP_LTZ DEFAULT CURRENT_TIMESTAMP() COMMENT 'when the row was loaded; not when it happened'
)
COMMENT = 'Kafka messages, each exactly once';
