-- How does each week compare with the last one that had sales?
-- Why: a fall shows here before it shows in the month.
-- Grain: one row per week (Monday first) with an order; the first week has nothing to compare with.

WITH WEEKS AS (
    SELECT
        DATE_TRUNC('WEEK', ORDER_DATE)::DATE AS SALES_WEEK,
        SUM(DAILY_REVENUE) AS REVENUE
    FROM ANALYTICS.DAILY_SALES
    GROUP BY DATE_TRUNC('WEEK', ORDER_DATE)::DATE
),

COMPARED AS (
    SELECT
        SALES_WEEK,
        REVENUE,
        LAG(REVENUE) OVER (ORDER BY SALES_WEEK) AS EARLIER_REVENUE
    FROM WEEKS
)

SELECT
    SALES_WEEK,
    REVENUE,
    REVENUE - EARLIER_REVENUE AS REVENUE_CHANGE,
    ((REVENUE - EARLIER_REVENUE) / NULLIF(EARLIER_REVENUE, 0))::NUMBER(18, 4) AS RELATIVE_CHANGE
FROM COMPARED
ORDER BY SALES_WEEK;
