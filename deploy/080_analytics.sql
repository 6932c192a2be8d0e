-- Why: the question asked most, as a view.
-- Grain: DAILY_SALES by ORDER_DATE.
-- Reads/Writes: reads PRODUCTION.
-- Rerun: safe; views hold no data, and COPY GRANTS keeps who may read them.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR REPLACE VIEW ANALYTICS.DAILY_SALES (
    ORDER_DATE COMMENT 'Business date: the day in Europe/Paris',
    ORDER_COUNT COMMENT 'Order lines',
    DAILY_REVENUE COMMENT 'Sum of TOTAL_AMOUNT, euros and cents',
    AVG_ORDER_VALUE COMMENT 'Revenue per order line, euros, not rounded'
)
COPY GRANTS
COMMENT = 'Sales by day. Grain: ORDER_DATE; a day without an order has no row'
AS
SELECT
    ORDER_DATE,
    COUNT(*) AS ORDER_COUNT,
    SUM(TOTAL_AMOUNT) AS DAILY_REVENUE,
    AVG(TOTAL_AMOUNT) AS AVG_ORDER_VALUE
FROM PRODUCTION.ORDERS
GROUP BY ORDER_DATE;
