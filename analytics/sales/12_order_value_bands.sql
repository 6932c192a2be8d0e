-- How large are orders?
-- Why: where a threshold for free delivery makes sense.
-- Grain: one row per band of order line value that occurs; a band begins with the sum it names.

SELECT
    CASE
        WHEN TOTAL_AMOUNT < 20 THEN 0
        WHEN TOTAL_AMOUNT < 50 THEN 20
        WHEN TOTAL_AMOUNT < 100 THEN 50
        WHEN TOTAL_AMOUNT < 250 THEN 100
        ELSE 250
    END AS FROM_EUROS,
    COUNT(*) AS ORDER_COUNT,
    SUM(TOTAL_AMOUNT) AS REVENUE
FROM PRODUCTION.ORDERS
GROUP BY FROM_EUROS
ORDER BY FROM_EUROS;
