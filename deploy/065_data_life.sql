-- Why: how long each layer is kept, what is remembered of staged rows that were purged, and of whom nothing may come
--      back.
-- Grain: RETENTION by LAYER; PURGED_ORDERS and PURGED_ADJUSTMENTS by purged staging row; ERASED_CUSTOMERS by
--      CUSTOMER_HASH; ERASURE_KEY has one row, once somebody was erased.
-- Reads/Writes: OPS.PURGE_EXPIRED and ERASE_CUSTOMER write; what stages events and computes stock reads.
-- Rerun: safe; nothing is replaced. The days follow the environment's settings at every deployment.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE OPS.RETENTION (
    LAYER VARCHAR NOT NULL COMMENT 'RAW, STAGING, ORDERS, LOGS, FILES or KAFKA',
    KEPT_DAYS NUMBER(38, 0) COMMENT 'how many days it is kept; null for ever',
    MEANING VARCHAR NOT NULL COMMENT 'what that speaks of',
    FORGOTTEN_ROWS NUMBER(38, 0) NOT NULL COMMENT 'purged rows that had said what became of a raw event',
    PURGED_AT TIMESTAMP_NTZ COMMENT 'when something of it was last purged, UTC; a purge locks this row'
)
COMMENT = 'How long each layer is kept; OPS.PURGE_EXPIRED goes by it';

MERGE INTO OPS.RETENTION AS KEPT
USING (
    SELECT
        COLUMN1 AS LAYER,
        COLUMN2 AS KEPT_DAYS,
        COLUMN3 AS MEANING
    FROM
        VALUES
        ('RAW', <% ctx.env.CAVES_RAW_DAYS %>, 'raw events, from their loading'),
        ('STAGING', <% ctx.env.CAVES_STAGING_DAYS %>, 'staged and repeated events, rejected ones from their working'),
        ('ORDERS', <% ctx.env.CAVES_ORDER_DAYS %>, 'orders in PRODUCTION, from their time'),
        ('LOGS', <% ctx.env.CAVES_LOG_DAYS %>, 'REPLAY_LOG, alerts from their clearing, deployments'),
        ('FILES', <% ctx.env.CAVES_FILE_DAYS %>, 'messages too large for a column, from their loading'),
        ('KAFKA', <% ctx.env.CAVES_KAFKA_DAYS %>, 'Kafka itself: no layer that recognises a repeat is kept shorter')
) AS SETTINGS
    ON KEPT.LAYER = SETTINGS.LAYER
WHEN MATCHED THEN UPDATE SET
    KEPT_DAYS = SETTINGS.KEPT_DAYS,
    MEANING = SETTINGS.MEANING
WHEN NOT MATCHED THEN INSERT (LAYER, KEPT_DAYS, MEANING, FORGOTTEN_ROWS)
VALUES (SETTINGS.LAYER, SETTINGS.KEPT_DAYS, SETTINGS.MEANING, 0);

CREATE OR ALTER TABLE STAGING.PURGED_ORDERS (
    ORDER_ID VARCHAR NOT NULL COMMENT 'as staged',
    EVENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'as staged',
    CUSTOMER_ID NUMBER(38, 0) NOT NULL COMMENT 'as staged',
    TOTAL_AMOUNT NUMBER(12, 2) NOT NULL COMMENT 'as staged',
    CONTENT_HASH VARCHAR NOT NULL COMMENT 'as staged; by it a repeat is known',
    SOURCE_TOPIC VARCHAR COMMENT 'as staged',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'as staged',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'as staged',
    PURGED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'What is remembered of purged rows of STG_ORDERS, as long as their order is in PRODUCTION';

CREATE OR ALTER TABLE STAGING.PURGED_ADJUSTMENTS (
    ADJUSTMENT_ID VARCHAR NOT NULL COMMENT 'as staged',
    EVENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'as staged',
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'as staged',
    PRODUCT_NAME VARCHAR COMMENT 'as staged',
    PRODUCT_CATEGORY VARCHAR COMMENT 'as staged',
    WAREHOUSE_LOCATION VARCHAR NOT NULL COMMENT 'as staged',
    QUANTITY_CHANGE NUMBER(38, 0) NOT NULL COMMENT 'as staged; a later version takes it back from the stock',
    CONTENT_HASH VARCHAR NOT NULL COMMENT 'as staged; by it a repeat is known',
    SOURCE_TOPIC VARCHAR COMMENT 'as staged',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'as staged',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'as staged',
    PURGED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'What is remembered of purged rows of STG_INVENTORY_ADJUSTMENTS, as long as INVENTORY_HISTORY';

CREATE TABLE IF NOT EXISTS OPS.ERASED_CUSTOMERS (
    CUSTOMER_HASH VARCHAR NOT NULL COMMENT 'SHA-256 of ERASURE_KEY and the customer''s number',
    ERASED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC',
    ERASED_BY VARCHAR NOT NULL COMMENT 'who called the procedure',
    TOUCHED_ROWS OBJECT COMMENT 'how many rows of each table were changed'
)
COMMENT = 'The customers who were erased, without their numbers: what still comes of them is made nameless';

CREATE TABLE IF NOT EXISTS OPS.ERASURE_KEY (
    HASH_KEY VARCHAR NOT NULL COMMENT 'random; without it nobody can try numbers against ERASED_CUSTOMERS',
    MADE_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'The key of the hashes of erased customers; to be read by the procedures alone';
