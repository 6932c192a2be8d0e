-- How many different lines does a basket have?
-- Why: whether people come for one wine or for the cellar.
-- Grain: one row per number of lines that occurs.

WITH BASKETS AS (
    SELECT
        ORDER_DATE,
        CUSTOMER_ID,
        COUNT(*) AS LINE_COUNT,
        SUM(TOTAL_AMOUNT) AS BASKET_VALUE
    FROM PRODUCTION.ORDERS
    GROUP BY ORDER_DATE, CUSTOMER_ID
)

SELECT
    LINE_COUNT,
    COUNT(*) AS BASKET_COUNT,
    AVG(BASKET_VALUE)::NUMBER(18, 2) AS AVG_BASKET_VALUE
FROM BASKETS
GROUP BY LINE_COUNT
ORDER BY LINE_COUNT;
