-- How much comes from new customers, how much from old ones?
-- Why: growth that rests on new customers alone does not last.
-- Grain: one row per month; a customer is new in the month of the first order.

SELECT
    DATE_TRUNC('MONTH', ORDERS.ORDER_DATE)::DATE AS SALES_MONTH,
    SUM(
        CASE
            WHEN DATE_TRUNC('MONTH', ORDERS.ORDER_DATE) = DATE_TRUNC('MONTH', CUSTOMERS.FIRST_ORDER_DATE)
                THEN ORDERS.TOTAL_AMOUNT
            ELSE 0
        END
    ) AS NEW_REVENUE,
    SUM(
        CASE
            WHEN DATE_TRUNC('MONTH', ORDERS.ORDER_DATE) = DATE_TRUNC('MONTH', CUSTOMERS.FIRST_ORDER_DATE)
                THEN 0
            ELSE ORDERS.TOTAL_AMOUNT
        END
    ) AS RETURNING_REVENUE
FROM PRODUCTION.ORDERS AS ORDERS
INNER JOIN ANALYTICS.CUSTOMERS AS CUSTOMERS
    ON ORDERS.CUSTOMER_ID = CUSTOMERS.CUSTOMER_ID
GROUP BY DATE_TRUNC('MONTH', ORDERS.ORDER_DATE)::DATE
ORDER BY SALES_MONTH;
