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
),

products AS (
    SELECT DISTINCT ON (product_id) product_id, product_name, product_category
    FROM inventory_current
    ORDER BY product_id, product_name IS NULL, last_adjustment_timestamp DESC, warehouse_location DESC
)

SELECT
    product_id, coalesce(product_name, '—'), coalesce(product_category, '—'), level,
    (bottles / days)::DECIMAL(18, 3) AS daily, days_of_cover,
    CASE WHEN exact_cover <= 36500 THEN day + floor(exact_cover)::INTEGER END, days
FROM cover
LEFT JOIN products USING (product_id)
WHERE days_of_cover IS NOT NULL
ORDER BY days_of_cover, daily DESC, product_id LIMIT 50;
