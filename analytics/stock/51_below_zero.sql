-- Which shelves were ever below zero?
-- Why: no shelf holds fewer than no bottles: a delivery was not entered.
-- Grain: one row per product and location, lowest first.

SELECT
    PRODUCT_ID,
    WAREHOUSE_LOCATION,
    MIN(RUNNING_BALANCE) AS LOWEST_BALANCE
FROM ANALYTICS.STOCK_LEDGER
GROUP BY PRODUCT_ID, WAREHOUSE_LOCATION
HAVING MIN(RUNNING_BALANCE) < 0
ORDER BY LOWEST_BALANCE ASC, PRODUCT_ID ASC, WAREHOUSE_LOCATION ASC;
