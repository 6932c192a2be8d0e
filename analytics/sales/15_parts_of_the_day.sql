-- Is wine bought in the morning or in the evening?
-- Why: when a newsletter should go out.
-- Grain: one row per part of the day in Paris: 0 = night, 6 = morning, 12 = afternoon, 18 = evening.

SELECT
    FLOOR(HOUR_OF_DAY / 6) * 6 AS FROM_HOUR,
    SUM(ORDER_COUNT) AS ORDER_COUNT,
    SUM(REVENUE) AS REVENUE,
    (SUM(REVENUE) / NULLIF(SUM(SUM(REVENUE)) OVER (), 0))::NUMBER(9, 6) AS REVENUE_SHARE
FROM ANALYTICS.SALES_BY_HOUR
GROUP BY FLOOR(HOUR_OF_DAY / 6) * 6
ORDER BY FROM_HOUR;
