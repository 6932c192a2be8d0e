SELECT sum(current_stock_level), count(DISTINCT product_id) FROM inventory_current;

SELECT
    count(*) FILTER (current_stock_level BETWEEN 10 AND 23), count(*) FILTER (current_stock_level < 10)
FROM inventory_current;

WITH as_of AS (
    SELECT max(order_date) AS day, least(28, date_diff('day', min(order_date), max(order_date)) + 1) AS days
    FROM orders
    WHERE order_date <= $today
),

sold AS (
    SELECT product_id, sum(quantity) AS bottles
    FROM orders
    CROSS JOIN as_of
    WHERE order_date > as_of.day - as_of.days::INTEGER AND order_date <= as_of.day
    GROUP BY product_id
),

levels AS (
    SELECT product_id, sum(current_stock_level) AS level FROM inventory_current GROUP BY product_id
),

cover AS (
    SELECT
        product_id, level, as_of.day, as_of.days, coalesce(sold.bottles, 0) AS bottles,
        (greatest(level, 0) * as_of.days / nullif(sold.bottles, 0))::DECIMAL(18, 1) AS days_of_cover,
        greatest(level, 0) * as_of.days / nullif(sold.bottles, 0) AS exact_cover
    FROM levels
    CROSS JOIN as_of
    LEFT JOIN sold USING (product_id)
)

SELECT count(*) FROM cover WHERE days_of_cover < 7;
