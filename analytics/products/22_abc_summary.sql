-- How few products carry the revenue?
-- Why: care goes first to class A.
-- Grain: one row per ABC class.

SELECT
    ABC_CLASS,
    COUNT(*) AS PRODUCT_COUNT,
    SUM(REVENUE) AS REVENUE,
    (SUM(REVENUE) / NULLIF(SUM(SUM(REVENUE)) OVER (), 0))::NUMBER(9, 6) AS REVENUE_SHARE
FROM ANALYTICS.PRODUCT_ABC
GROUP BY ABC_CLASS
ORDER BY ABC_CLASS;
