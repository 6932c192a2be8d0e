-- Which products that carry the revenue are low somewhere?
-- Why: the shelves where an empty place costs most.
-- Grain: one row per product of class A and location that is low or critical.

SELECT
    LOW.PRODUCT_ID,
    LOW.WAREHOUSE_LOCATION,
    LOW.STOCK_LEVEL,
    LOW.STOCK_STATUS
FROM ANALYTICS.LOW_STOCK AS LOW
INNER JOIN ANALYTICS.PRODUCT_ABC AS ABC
    ON LOW.PRODUCT_ID = ABC.PRODUCT_ID
WHERE ABC.ABC_CLASS = 'A'
ORDER BY LOW.STOCK_LEVEL ASC, LOW.PRODUCT_ID ASC, LOW.WAREHOUSE_LOCATION ASC;
