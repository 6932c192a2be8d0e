-- Which bottle sizes sell, and at what price a litre?
-- Why: half bottles and magnums are bought apart.
-- Grain: one row per bottle size; those without a size are left out.

SELECT
    BOTTLE_SIZE_L,
    SUM(QUANTITY) AS BOTTLES_SOLD,
    SUM(QUANTITY * BOTTLE_SIZE_L)::NUMBER(38, 3) AS LITRES,
    SUM(TOTAL_AMOUNT) AS REVENUE,
    (SUM(TOTAL_AMOUNT) / NULLIF(SUM(QUANTITY * BOTTLE_SIZE_L), 0))::NUMBER(18, 2) AS PRICE_PER_LITRE
FROM PRODUCTION.ORDERS
WHERE BOTTLE_SIZE_L IS NOT NULL
GROUP BY BOTTLE_SIZE_L
ORDER BY BOTTLE_SIZE_L;
