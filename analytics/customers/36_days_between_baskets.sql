-- How many days pass between two baskets of a customer?
-- Why: when a reminder is due.
-- Grain: one row; nulls while nobody has come back.

WITH DAYS AS (
    SELECT DISTINCT
        CUSTOMER_ID,
        ORDER_DATE
    FROM PRODUCTION.ORDERS
),

STEPS AS (
    SELECT
        DATEDIFF(
            'DAY', LAG(ORDER_DATE) OVER (PARTITION BY CUSTOMER_ID ORDER BY ORDER_DATE), ORDER_DATE
        ) AS DAYS_BETWEEN
    FROM DAYS
)

SELECT
    COUNT(DAYS_BETWEEN) AS RETURN_COUNT,
    AVG(DAYS_BETWEEN)::NUMBER(18, 1) AS AVG_DAYS,
    MEDIAN(DAYS_BETWEEN)::NUMBER(18, 1) AS MEDIAN_DAYS
FROM STEPS;
