-- At which hours of the week do people buy?
-- Why: when the till and the site must not be down.
-- Grain: one row per weekday and hour in Paris, ten at most, busiest first.

SELECT
    DAY_OF_WEEK,
    HOUR_OF_DAY,
    ORDER_COUNT,
    REVENUE
FROM ANALYTICS.SALES_BY_HOUR
ORDER BY ORDER_COUNT DESC, REVENUE DESC, DAY_OF_WEEK ASC, HOUR_OF_DAY ASC
LIMIT 10;
