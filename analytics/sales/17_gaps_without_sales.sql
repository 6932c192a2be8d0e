-- When was nothing sold for a day or more?
-- Why: a shop that was closed, or a feed that was down.
-- Grain: one row per gap between two days with orders.

WITH DAYS AS (
    SELECT
        ORDER_DATE,
        LEAD(ORDER_DATE) OVER (ORDER BY ORDER_DATE) AS NEXT_DATE
    FROM ANALYTICS.DAILY_SALES
)

SELECT
    ORDER_DATE AS LAST_DAY_BEFORE,
    NEXT_DATE AS FIRST_DAY_AFTER,
    DATEDIFF('DAY', ORDER_DATE, NEXT_DATE) - 1 AS DAYS_WITHOUT_SALES
FROM DAYS
WHERE DATEDIFF('DAY', ORDER_DATE, NEXT_DATE) > 1
ORDER BY LAST_DAY_BEFORE;
