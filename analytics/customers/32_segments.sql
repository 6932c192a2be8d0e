-- How many customers are in each segment, and what are they worth?
-- Why: one letter does not suit everybody.
-- Grain: one row per segment that has customers.

SELECT
    SEGMENT,
    COUNT(*) AS CUSTOMER_COUNT,
    SUM(LIFETIME_VALUE) AS LIFETIME_VALUE,
    AVG(LIFETIME_VALUE)::NUMBER(18, 2) AS AVG_LIFETIME_VALUE
FROM ANALYTICS.CUSTOMERS
GROUP BY SEGMENT
ORDER BY SEGMENT;
