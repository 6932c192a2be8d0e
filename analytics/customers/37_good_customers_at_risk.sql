-- Which good customers have not come for long?
-- Why: a call now is cheaper than a new customer later.
-- Grain: one row per customer of the segment AT_RISK, most valuable first.

SELECT
    CUSTOMER_ID,
    LAST_ORDER_DATE,
    RECENCY_DAYS,
    LIFETIME_VALUE
FROM ANALYTICS.CUSTOMERS
WHERE SEGMENT = 'AT_RISK'
ORDER BY LIFETIME_VALUE DESC, CUSTOMER_ID ASC;
