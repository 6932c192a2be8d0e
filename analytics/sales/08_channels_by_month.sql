-- Where is it sold, month by month?
-- Why: shows a channel that grows at another's cost.
-- Grain: one row per month and channel with an order.

SELECT
    DATE_TRUNC('MONTH', ORDER_DATE)::DATE AS SALES_MONTH,
    COALESCE(SALES_CHANNEL, '(none)') AS CHANNEL,
    COUNT(*) AS ORDER_COUNT,
    SUM(TOTAL_AMOUNT) AS REVENUE
FROM PRODUCTION.ORDERS
GROUP BY DATE_TRUNC('MONTH', ORDER_DATE)::DATE, COALESCE(SALES_CHANNEL, '(none)')
ORDER BY SALES_MONTH, CHANNEL;
