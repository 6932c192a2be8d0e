-- Which ten days brought in most?
-- Why: fairs and holidays stand out; staff and stock follow.
-- Grain: one row per day, ten at most, best first.

SELECT
    ORDER_DATE,
    ORDER_COUNT,
    DAILY_REVENUE
FROM ANALYTICS.DAILY_SALES
ORDER BY DAILY_REVENUE DESC, ORDER_DATE ASC
LIMIT 10;
