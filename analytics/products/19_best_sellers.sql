-- Which ten products bring in most?
-- Why: they must never be out of stock.
-- Grain: one row per product, ten at most, best first; products that never sold are left out.

SELECT
    PRODUCT_ID,
    PRODUCT_NAME,
    BOTTLES_SOLD,
    REVENUE,
    REVENUE_SHARE
FROM ANALYTICS.SALES_BY_PRODUCT
WHERE ORDER_COUNT > 0
ORDER BY REVENUE DESC, PRODUCT_ID ASC
LIMIT 10;
