-- What is the trend without the ups and downs of the week?
-- Why: seven days hold each weekday once.
-- Grain: one row per day with an order; days without one count as 0 in the average.

SELECT
    DAYS.ORDER_DATE,
    DAYS.DAILY_REVENUE,
    (SUM(RECENT.DAILY_REVENUE) / 7)::NUMBER(18, 2) AS AVG_OF_SEVEN_DAYS
FROM ANALYTICS.DAILY_SALES AS DAYS
INNER JOIN ANALYTICS.DAILY_SALES AS RECENT
    ON
        DAYS.ORDER_DATE >= RECENT.ORDER_DATE
        AND DATEDIFF('DAY', RECENT.ORDER_DATE, DAYS.ORDER_DATE) < 7
GROUP BY DAYS.ORDER_DATE, DAYS.DAILY_REVENUE
ORDER BY DAYS.ORDER_DATE;
