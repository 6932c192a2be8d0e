-- What share of each month's revenue is red, white, ...?
-- Why: the season of each category, to buy ahead of it.
-- Grain: one row per month and category with an order; shares of a month add up to 1.

SELECT
    DATE_TRUNC('MONTH', ORDER_DATE)::DATE AS SALES_MONTH,
    COALESCE(PRODUCT_CATEGORY, '(none)') AS CATEGORY,
    SUM(TOTAL_AMOUNT) AS REVENUE,
    (
        SUM(TOTAL_AMOUNT)
        / NULLIF(SUM(SUM(TOTAL_AMOUNT)) OVER (PARTITION BY DATE_TRUNC('MONTH', ORDER_DATE)::DATE), 0)
    )::NUMBER(9, 6) AS SHARE_OF_MONTH
FROM PRODUCTION.ORDERS
GROUP BY DATE_TRUNC('MONTH', ORDER_DATE)::DATE, COALESCE(PRODUCT_CATEGORY, '(none)')
ORDER BY SALES_MONTH, CATEGORY;
