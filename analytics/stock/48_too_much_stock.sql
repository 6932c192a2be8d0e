-- Of what is there more than half a year's sales?
-- Why: to be sold off, or not bought again.
-- Grain: one row per product with bottles and more than 180 days of cover, or no sale in the window.

SELECT
    PRODUCT_ID,
    STOCK_LEVEL,
    DAYS_OF_COVER
FROM ANALYTICS.STOCK_COVER
WHERE STOCK_LEVEL > 0 AND (DAYS_OF_COVER > 180 OR DAYS_OF_COVER IS NULL)
ORDER BY STOCK_LEVEL DESC, PRODUCT_ID ASC;
