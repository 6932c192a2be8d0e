-- Why: what analysts, the dashboard and alerts read.
-- Grain: ORDERS by ORDER_ID, INVENTORY_HISTORY by ADJUSTMENT_ID, INVENTORY_CURRENT by PRODUCT_ID, WAREHOUSE_LOCATION.
-- Reads/Writes: the three MERGE procedures of OPS write, from the streams on STAGING.
-- Rerun: safe; CREATE OR ALTER adds columns and keeps the rows.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE PRODUCTION.ORDERS (
    ORDER_ID VARCHAR NOT NULL COMMENT 'order_line_id',
    ORDER_DATE DATE NOT NULL COMMENT 'business date: the day in Europe/Paris',
    ORDER_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'when it happened, UTC',
    CUSTOMER_ID NUMBER(38, 0) NOT NULL COMMENT 'who bought',
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'what was bought',
    PRODUCT_NAME VARCHAR COMMENT 'as the shop sent it',
    PRODUCT_CATEGORY VARCHAR COMMENT 'Rouge, Blanc, Rosé, Effervescent, Spiritueux',
    QUANTITY NUMBER(38, 0) NOT NULL COMMENT 'bottles',
    UNIT_PRICE NUMBER(12, 2) NOT NULL COMMENT 'euros and cents',
    DISCOUNT NUMBER(12, 2) COMMENT 'euros and cents',
    TOTAL_AMOUNT NUMBER(12, 2) NOT NULL COMMENT 'euros and cents',
    SALES_CHANNEL VARCHAR COMMENT 'where it was sold',
    PAYMENT_METHOD VARCHAR COMMENT 'how it was paid',
    SHIPPING_ADDRESS VARCHAR COMMENT 'where it goes',
    BOTTLE_SIZE_L NUMBER(6, 3) COMMENT 'litres',
    CREATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'first version written, UTC',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'latest version written, UTC',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic of the version shown; with the next two it breaks ties on time',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition of the version shown',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset of the version shown'
)
COMMENT = 'Orders, each in its latest version';

CREATE OR ALTER TABLE PRODUCTION.INVENTORY_HISTORY (
    ADJUSTMENT_ID VARCHAR NOT NULL COMMENT 'event_id',
    ADJUSTMENT_DATE DATE NOT NULL COMMENT 'business date: the day in Europe/Paris',
    ADJUSTMENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'when it happened, UTC',
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'what moved',
    PRODUCT_NAME VARCHAR COMMENT 'as the shop sent it',
    PRODUCT_CATEGORY VARCHAR COMMENT 'Rouge, Blanc, Rosé, Effervescent, Spiritueux',
    WAREHOUSE_LOCATION VARCHAR NOT NULL COMMENT 'where it moved',
    QUANTITY_CHANGE NUMBER(38, 0) NOT NULL COMMENT 'bottles in (+) or out (-)',
    ADJUSTMENT_TYPE VARCHAR NOT NULL COMMENT 'REPLENISHMENT, CORRECTION, SPOILAGE, ...',
    REASON VARCHAR COMMENT 'in the shop''s words',
    CREATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'first version written, UTC',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'latest version written, UTC',
    SOURCE_TOPIC VARCHAR COMMENT 'Kafka topic of the version shown; with the next two it breaks ties on time',
    SOURCE_PARTITION NUMBER(38, 0) COMMENT 'Kafka partition of the version shown',
    SOURCE_OFFSET NUMBER(38, 0) COMMENT 'Kafka offset of the version shown'
)
COMMENT = 'Stock movements, each in its latest version';

CREATE OR ALTER TABLE PRODUCTION.INVENTORY_CURRENT (
    PRODUCT_ID NUMBER(38, 0) NOT NULL COMMENT 'what lies there',
    WAREHOUSE_LOCATION VARCHAR NOT NULL COMMENT 'where it lies',
    PRODUCT_NAME VARCHAR COMMENT 'as the shop last sent it',
    PRODUCT_CATEGORY VARCHAR COMMENT 'as the shop last sent it',
    CURRENT_STOCK_LEVEL NUMBER(38, 0) NOT NULL COMMENT 'the sum of QUANTITY_CHANGE in INVENTORY_HISTORY, always',
    LAST_ADJUSTMENT_TIMESTAMP TIMESTAMP_NTZ NOT NULL COMMENT 'latest movement, UTC',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when the row was written, UTC'
)
COMMENT = 'Stock by product and place';
