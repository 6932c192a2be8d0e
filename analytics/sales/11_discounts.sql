-- How much is given away in discounts, and on what?
-- Why: a discount that everybody gets is a price.
-- Grain: one row per category; the discount is the sum that the shop sends, whatever its total includes.

SELECT
    COALESCE(PRODUCT_CATEGORY, '(none)') AS CATEGORY,
    COUNT(*) AS ORDER_COUNT,
    COUNT_IF(DISCOUNT > 0) AS DISCOUNTED_COUNT,
    COALESCE(SUM(DISCOUNT), 0) AS DISCOUNT_TOTAL,
    (COUNT_IF(DISCOUNT > 0) / COUNT(*))::NUMBER(9, 6) AS DISCOUNTED_SHARE
FROM PRODUCTION.ORDERS
GROUP BY COALESCE(PRODUCT_CATEGORY, '(none)')
ORDER BY DISCOUNT_TOTAL DESC, CATEGORY ASC;
