-- How do people pay?
-- Why: each method has its fee, and its risk.
-- Grain: one row per payment method.

SELECT
    COALESCE(PAYMENT_METHOD, '(none)') AS METHOD,
    COUNT(*) AS ORDER_COUNT,
    SUM(TOTAL_AMOUNT) AS REVENUE,
    (COUNT(*) / SUM(COUNT(*)) OVER ())::NUMBER(9, 6) AS SHARE_OF_ORDERS
FROM PRODUCTION.ORDERS
GROUP BY COALESCE(PAYMENT_METHOD, '(none)')
ORDER BY ORDER_COUNT DESC, METHOD ASC;
