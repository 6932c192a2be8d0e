-- How many new customers come each month?
-- Why: without them, a shop shrinks.
-- Grain: one row per month in which somebody ordered for the first time.

SELECT
    DATE_TRUNC('MONTH', FIRST_ORDER_DATE)::DATE AS FIRST_MONTH,
    COUNT(*) AS NEW_CUSTOMERS
FROM ANALYTICS.CUSTOMERS
GROUP BY DATE_TRUNC('MONTH', FIRST_ORDER_DATE)::DATE
ORDER BY FIRST_MONTH;
