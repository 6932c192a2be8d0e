-- What will be sold out within a week?
-- Why: an order takes days to arrive.
-- Grain: one row per product with less than seven days of cover, shortest first.

SELECT
    PRODUCT_ID,
    STOCK_LEVEL,
    DAYS_OF_COVER,
    RUN_OUT_DATE
FROM ANALYTICS.STOCK_COVER
WHERE DAYS_OF_COVER < 7
ORDER BY DAYS_OF_COVER ASC, PRODUCT_ID ASC;
