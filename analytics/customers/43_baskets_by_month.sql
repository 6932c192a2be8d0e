-- What is in an average basket, month by month?
-- Why: revenue grows by more baskets or by fuller ones.
-- Grain: one row per month; a basket is what a customer ordered on one day.

SELECT
    DATE_TRUNC('MONTH', ORDER_DATE)::DATE AS SALES_MONTH,
    SUM(BASKET_COUNT) AS BASKET_COUNT,
    (SUM(REVENUE) / SUM(BASKET_COUNT))::NUMBER(18, 2) AS AVG_BASKET_VALUE,
    MAX(LARGEST_BASKET_VALUE) AS LARGEST_BASKET_VALUE
FROM ANALYTICS.BASKET_STATISTICS
GROUP BY DATE_TRUNC('MONTH', ORDER_DATE)::DATE
ORDER BY SALES_MONTH;
