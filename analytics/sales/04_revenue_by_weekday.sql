-- What is an average Monday, Tuesday, ... worth?
-- Why: opening hours and rosters.
-- Grain: one row per weekday with an order (1 = Monday).

SELECT
    DAYOFWEEKISO(ORDER_DATE) AS DAY_OF_WEEK,
    COUNT(*) AS DAYS_OPEN,
    SUM(DAILY_REVENUE) AS REVENUE,
    AVG(DAILY_REVENUE)::NUMBER(18, 2) AS AVG_DAILY_REVENUE
FROM ANALYTICS.DAILY_SALES
GROUP BY DAYOFWEEKISO(ORDER_DATE)
ORDER BY DAY_OF_WEEK;
