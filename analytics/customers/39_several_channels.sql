-- Who buys through more than one channel?
-- Why: they are worth more, and notice when channels disagree.
-- Grain: one row per customer with two channels or more, most channels first.

SELECT
    CUSTOMER_ID,
    COUNT(DISTINCT SALES_CHANNEL) AS CHANNEL_COUNT,
    SUM(TOTAL_AMOUNT) AS REVENUE
FROM PRODUCTION.ORDERS
GROUP BY CUSTOMER_ID
HAVING COUNT(DISTINCT SALES_CHANNEL) > 1
ORDER BY CHANNEL_COUNT DESC, CUSTOMER_ID ASC;
