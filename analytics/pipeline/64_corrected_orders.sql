-- Which orders were corrected afterwards?
-- Why: figures of a closed day can still move; here is why.
-- Grain: one row per order with at least two versions, most versions first.

SELECT
    ORDER_ID,
    COUNT(*) AS VERSIONS,
    MIN(TOTAL_AMOUNT) AS LOWEST_AMOUNT,
    MAX(TOTAL_AMOUNT) AS HIGHEST_AMOUNT
FROM STAGING.STG_ORDERS
GROUP BY ORDER_ID
HAVING COUNT(*) > 1
ORDER BY VERSIONS DESC, ORDER_ID ASC;
