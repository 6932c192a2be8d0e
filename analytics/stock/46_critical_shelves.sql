-- Which shelves are all but empty?
-- Why: to be filled today.
-- Grain: one row per product and location below ten bottles, lowest first.

SELECT
    PRODUCT_ID,
    WAREHOUSE_LOCATION,
    STOCK_LEVEL
FROM ANALYTICS.LOW_STOCK
WHERE STOCK_STATUS = 'CRITICAL'
ORDER BY STOCK_LEVEL ASC, PRODUCT_ID ASC, WAREHOUSE_LOCATION ASC;
