-- What are the ten largest order lines?
-- Why: trade customers hide among them, and typing errors.
-- Grain: one row per order line, ten at most, largest first.

SELECT
    ORDER_ID,
    ORDER_DATE,
    CUSTOMER_ID,
    PRODUCT_ID,
    QUANTITY,
    TOTAL_AMOUNT
FROM PRODUCTION.ORDERS
ORDER BY TOTAL_AMOUNT DESC, ORDER_ID ASC
LIMIT 10;
