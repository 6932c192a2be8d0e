-- How much of the revenue comes from the best fifth of the customers?
-- Why: four fifths would be the proverb; more is a risk.
-- Grain: one row; the share is null while there is no revenue. The fifth is rounded up.

WITH RANKED AS (
    SELECT
        LIFETIME_VALUE,
        ROW_NUMBER() OVER (ORDER BY LIFETIME_VALUE DESC, CUSTOMER_ID ASC) AS VALUE_RANK,
        COUNT(*) OVER () AS CUSTOMER_COUNT
    FROM ANALYTICS.CUSTOMERS
)

SELECT
    COUNT_IF(VALUE_RANK <= CEIL(CUSTOMER_COUNT / 5)) AS BEST_CUSTOMERS,
    (
        SUM(CASE WHEN VALUE_RANK <= CEIL(CUSTOMER_COUNT / 5) THEN LIFETIME_VALUE ELSE 0 END)
        / NULLIF(SUM(LIFETIME_VALUE), 0)
    )::NUMBER(9, 6) AS REVENUE_SHARE
FROM RANKED;
