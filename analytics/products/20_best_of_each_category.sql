-- What sells best in each category?
-- Why: the front of each shelf.
-- Grain: one row per category of a product that was sold.

SELECT
    PRODUCT_ID,
    PRODUCT_NAME,
    REVENUE,
    COALESCE(PRODUCT_CATEGORY, '(none)') AS CATEGORY
FROM ANALYTICS.SALES_BY_PRODUCT
WHERE ORDER_COUNT > 0
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY COALESCE(PRODUCT_CATEGORY, '(none)')
    ORDER BY REVENUE DESC, PRODUCT_ID ASC
) = 1
ORDER BY CATEGORY;
