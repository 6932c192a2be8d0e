-- Why: the amount of every order is the one that its event carries, to the cent.
-- Grain: one row per order whose amount differs from its raw event's, or whose raw event is gone.
-- Reads/Writes: reads RAW_DATA.RAW_EVENTS_STREAM and PRODUCTION.ORDERS.
-- Rerun: safe; a row in the answer is a fault.
--
-- The event is read here a second time, by other means than the pipeline's: text to a wide decimal.

WITH SOLD AS (
    SELECT
        EVENT_METADATA:partition::NUMBER(38, 0) AS KAFKA_PARTITION,
        EVENT_METADATA:offset::NUMBER(38, 0) AS KAFKA_OFFSET,
        CONCAT(
            EVENT_METADATA:topic::VARCHAR,
            COALESCE(CONCAT('@', EVENT_METADATA:generation::VARCHAR), '')
        ) AS TOPIC,
        COALESCE(
            TRY_TO_DECIMAL(EVENT_CONTENT:total_price::VARCHAR, 38, 10),
            TRY_TO_DECIMAL(EVENT_CONTENT:quantity::VARCHAR, 18, 0)
            * TRY_TO_DECIMAL(EVENT_CONTENT:unit_price::VARCHAR, 18, 6)
        ) AS AMOUNT
    FROM RAW_DATA.RAW_EVENTS_STREAM
    WHERE EVENT_TYPE = 'ORDER_CREATED'
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
