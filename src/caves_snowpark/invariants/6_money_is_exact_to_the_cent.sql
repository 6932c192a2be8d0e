-- Why: the amount of every order is the one that its event carries, as it came or as an operator corrected it, to
--      the cent.
-- Grain: one row per order whose amount differs from its raw event's, or whose raw event is gone.
-- Reads/Writes: reads RAW_DATA.RAW_EVENTS_STREAM, STAGING.REPLAY_LOG and PRODUCTION.ORDERS.
-- Rerun: safe; a row in the answer is a fault.
--
-- The event is read here a second time, by other means than the pipeline's: text to a wide decimal.

WITH RAW_ROWS AS (
    SELECT
        EVENT_METADATA:partition::NUMBER(38, 0) AS KAFKA_PARTITION,
        EVENT_METADATA:offset::NUMBER(38, 0) AS KAFKA_OFFSET,
        EVENT_CONTENT,
        CONCAT(
            EVENT_METADATA:topic::VARCHAR,
            COALESCE(CONCAT('@', EVENT_METADATA:generation::VARCHAR), '')
        ) AS TOPIC
    FROM RAW_DATA.RAW_EVENTS_STREAM
),

EVENTS AS (
    SELECT
        RAW_ROWS.TOPIC,
        RAW_ROWS.KAFKA_PARTITION,
        RAW_ROWS.KAFKA_OFFSET,
        COALESCE(CORRECTIONS.CORRECTED_CONTENT, RAW_ROWS.EVENT_CONTENT) AS EVENT_CONTENT
    FROM RAW_ROWS
    LEFT JOIN STAGING.REPLAY_LOG AS CORRECTIONS
        ON
            RAW_ROWS.TOPIC = CORRECTIONS.SOURCE_TOPIC
            AND RAW_ROWS.KAFKA_PARTITION = CORRECTIONS.SOURCE_PARTITION
            AND RAW_ROWS.KAFKA_OFFSET = CORRECTIONS.SOURCE_OFFSET
            AND CORRECTIONS.DECISION = 'CORRECTED'
),

SOLD AS (
    SELECT
        TOPIC,
        KAFKA_PARTITION,
        KAFKA_OFFSET,
        COALESCE(
            TRY_TO_DECIMAL(EVENT_CONTENT:total_price::VARCHAR, 38, 10),
            TRY_TO_DECIMAL(EVENT_CONTENT:quantity::VARCHAR, 12, 0)
            * TRY_TO_DECIMAL(EVENT_CONTENT:unit_price::VARCHAR, 16, 6)
        ) AS AMOUNT
    FROM EVENTS
    WHERE EVENT_CONTENT:event_type::VARCHAR = 'ORDER_CREATED'
)

SELECT
    ORDERS.ORDER_ID AS OFFENDER,
    CONCAT('is ', ORDERS.TOTAL_AMOUNT::VARCHAR, ', and its event says ', COALESCE(SOLD.AMOUNT::VARCHAR, 'nothing'))
        AS PROBLEM
FROM PRODUCTION.ORDERS AS ORDERS
LEFT JOIN SOLD
    ON
        ORDERS.SOURCE_TOPIC = SOLD.TOPIC
        AND ORDERS.SOURCE_PARTITION = SOLD.KAFKA_PARTITION
        AND ORDERS.SOURCE_OFFSET = SOLD.KAFKA_OFFSET
WHERE ORDERS.TOTAL_AMOUNT IS DISTINCT FROM SOLD.AMOUNT
ORDER BY OFFENDER
