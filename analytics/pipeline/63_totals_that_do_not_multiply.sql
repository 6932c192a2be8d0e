-- Which order lines cost other than quantity times price?
-- Why: a discount without its field, a rounding, or a mistake.
-- Grain: one row per order line, largest difference first, a hundred at most.

SELECT
    ORDER_ID,
    QUANTITY,
    UNIT_PRICE,
    DISCOUNT,
    TOTAL_AMOUNT,
    TOTAL_AMOUNT - QUANTITY * UNIT_PRICE AS DIFFERENCE
FROM PRODUCTION.ORDERS
WHERE TOTAL_AMOUNT <> QUANTITY * UNIT_PRICE
ORDER BY ABS(TOTAL_AMOUNT - QUANTITY * UNIT_PRICE) DESC, ORDER_ID ASC
LIMIT 100;
