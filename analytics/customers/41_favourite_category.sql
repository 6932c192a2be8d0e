-- What does each customer like best?
-- Why: the subject of a letter.
-- Grain: one row per customer; most bottles decide, then revenue, then the name.

SELECT
    CUSTOMER_ID,
    COALESCE(PRODUCT_CATEGORY, '(none)') AS CATEGORY,
    SUM(QUANTITY) AS BOTTLES_BOUGHT
FROM PRODUCTION.ORDERS
GROUP BY CUSTOMER_ID, COALESCE(PRODUCT_CATEGORY, '(none)')
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY CUSTOMER_ID
    ORDER BY SUM(QUANTITY) DESC, SUM(TOTAL_AMOUNT) DESC, COALESCE(PRODUCT_CATEGORY, '(none)') ASC
) = 1
ORDER BY CUSTOMER_ID;
