-- How many products bring in half of the revenue?
-- Why: one number for how much depends on how little.
-- Grain: one row.

SELECT
    COUNT_IF((REVENUE > 0) AND (CUMULATIVE_SHARE - REVENUE_SHARE < 0.5)) AS PRODUCT_COUNT,
    COUNT(*) AS ALL_PRODUCTS
FROM ANALYTICS.PRODUCT_ABC;
