-- What does a bottle cost in each category?
-- Why: where a new wine would fit.
-- Grain: one row per category; the average is weighed by bottles.

SELECT
    COALESCE(PRODUCT_CATEGORY, '(none)') AS CATEGORY,
    MIN(UNIT_PRICE) AS CHEAPEST,
    MAX(UNIT_PRICE) AS DEAREST,
    (SUM(UNIT_PRICE * QUANTITY) / NULLIF(SUM(QUANTITY), 0))::NUMBER(18, 2) AS AVG_LIST_PRICE
FROM PRODUCTION.ORDERS
GROUP BY COALESCE(PRODUCT_CATEGORY, '(none)')
ORDER BY CATEGORY;
