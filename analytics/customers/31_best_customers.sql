-- Who are the twenty best customers?
-- Why: those to know by name.
-- Grain: one row per customer, twenty at most, best first.

SELECT
    CUSTOMER_ID,
    LIFETIME_VALUE,
    BASKET_COUNT,
    AVG_BASKET_VALUE,
    LAST_ORDER_DATE,
    SEGMENT
FROM ANALYTICS.CUSTOMERS
ORDER BY LIFETIME_VALUE DESC, CUSTOMER_ID ASC
LIMIT 20;
