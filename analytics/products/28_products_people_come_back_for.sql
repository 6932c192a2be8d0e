-- Which products do customers buy again?
-- Why: habits are worth more than fashions.
-- Grain: one row per product that a customer bought on two days or more, most such customers first.

WITH BUYERS AS (
    SELECT
        PRODUCT_ID,
        CUSTOMER_ID,
        COUNT(DISTINCT ORDER_DATE) AS DAYS_BOUGHT
    FROM PRODUCTION.ORDERS
    GROUP BY PRODUCT_ID, CUSTOMER_ID
)

SELECT
    PRODUCT_ID,
    COUNT_IF(DAYS_BOUGHT > 1) AS RETURNING_CUSTOMERS,
    COUNT(*) AS CUSTOMERS,
    (COUNT_IF(DAYS_BOUGHT > 1) / COUNT(*))::NUMBER(9, 6) AS RETURNING_SHARE
FROM BUYERS
GROUP BY PRODUCT_ID
HAVING COUNT_IF(DAYS_BOUGHT > 1) > 0
ORDER BY RETURNING_CUSTOMERS DESC, PRODUCT_ID ASC;
