-- How much is sold each month?
-- Why: the first line of every report.
-- Grain: one row per month with an order.

SELECT
    DATE_TRUNC('MONTH', ORDER_DATE)::DATE AS SALES_MONTH,
    COUNT(*) AS ORDER_COUNT,
    SUM(QUANTITY) AS BOTTLES_SOLD,
    SUM(TOTAL_AMOUNT) AS REVENUE
FROM PRODUCTION.ORDERS
GROUP BY DATE_TRUNC('MONTH', ORDER_DATE)::DATE
ORDER BY SALES_MONTH;
