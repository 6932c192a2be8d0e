-- Which products are sold although no stock movement ever named them?
-- Why: a product number that the till and the stock room spell differently.
-- Grain: one row per product.

SELECT
    ORDERS.PRODUCT_ID,
    COUNT(*) AS ORDER_COUNT,
    SUM(ORDERS.TOTAL_AMOUNT) AS REVENUE
FROM PRODUCTION.ORDERS AS ORDERS
WHERE
    NOT EXISTS (
        SELECT 1
        FROM PRODUCTION.INVENTORY_HISTORY AS MOVEMENTS
        WHERE MOVEMENTS.PRODUCT_ID = ORDERS.PRODUCT_ID
    )
GROUP BY ORDERS.PRODUCT_ID
ORDER BY ORDERS.PRODUCT_ID;
