-- Which products sell in one channel only?
-- Why: either they belong there, or nobody shows them elsewhere.
-- Grain: one row per product sold through exactly one channel; lines without a channel do not count.

SELECT
    PRODUCT_ID,
    MIN(SALES_CHANNEL) AS SALES_CHANNEL,
    COUNT(*) AS ORDER_COUNT
FROM PRODUCTION.ORDERS
WHERE SALES_CHANNEL IS NOT NULL
GROUP BY PRODUCT_ID
HAVING COUNT(DISTINCT SALES_CHANNEL) = 1
ORDER BY ORDER_COUNT DESC, PRODUCT_ID ASC;
