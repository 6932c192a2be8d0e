-- Which products were sold at different prices?
-- Why: a price that moved, or one that was mistyped.
-- Grain: one row per product with at least two unit prices, widest spread first.

SELECT
    PRODUCT_ID,
    MIN(UNIT_PRICE) AS LOWEST_PRICE,
    MAX(UNIT_PRICE) AS HIGHEST_PRICE,
    MAX(UNIT_PRICE) - MIN(UNIT_PRICE) AS SPREAD
FROM PRODUCTION.ORDERS
GROUP BY PRODUCT_ID
HAVING MIN(UNIT_PRICE) < MAX(UNIT_PRICE)
ORDER BY SPREAD DESC, PRODUCT_ID ASC;
