-- How has the year's revenue grown, day by day?
-- Why: the curve to lay beside the budget.
-- Grain: one row per day with an order; the sum begins anew each year.

SELECT
    ORDER_DATE,
    DAILY_REVENUE,
    SUM(DAILY_REVENUE) OVER (
        PARTITION BY YEAR(ORDER_DATE)
        ORDER BY ORDER_DATE ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS REVENUE_SO_FAR
FROM ANALYTICS.DAILY_SALES
ORDER BY ORDER_DATE;
