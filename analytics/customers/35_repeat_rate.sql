-- What share of the customers has come back?
-- Why: the plainest measure of contentment.
-- Grain: one row; the share is null while there are no customers.

SELECT
    COUNT(*) AS CUSTOMER_COUNT,
    COUNT_IF(BASKET_COUNT > 1) AS RETURNING_COUNT,
    (COUNT_IF(BASKET_COUNT > 1) / NULLIF(COUNT(*), 0))::NUMBER(9, 6) AS REPEAT_RATE
FROM ANALYTICS.CUSTOMERS;
