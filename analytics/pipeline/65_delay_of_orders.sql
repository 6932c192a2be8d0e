-- How long does an order take from the shop to staging?
-- Why: how far behind reality every report is.
-- Grain: one row per day of processing.

SELECT
    CONVERT_TIMEZONE('UTC', 'Europe/Paris', STAGED_AT)::DATE AS PROCESSED_DATE,
    COUNT(*) AS ORDER_COUNT,
    MEDIAN(DATEDIFF('SECOND', EVENT_TIMESTAMP, STAGED_AT))::NUMBER(18, 1) AS MEDIAN_SECONDS,
    MAX(DATEDIFF('SECOND', EVENT_TIMESTAMP, STAGED_AT)) AS LONGEST_SECONDS
FROM STAGING.STG_ORDERS
GROUP BY CONVERT_TIMEZONE('UTC', 'Europe/Paris', STAGED_AT)::DATE
ORDER BY PROCESSED_DATE;
