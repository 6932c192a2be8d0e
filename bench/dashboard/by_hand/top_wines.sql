WITH sold AS (
    SELECT product_id, sum(quantity) AS bottles, sum(total_amount) AS revenue, count(*) AS orders
    FROM orders
    WHERE order_date BETWEEN $start AND $end
    GROUP BY product_id ORDER BY revenue DESC, product_id LIMIT 50
),

seen AS (
    SELECT product_id, product_name, product_category, order_timestamp AS seen_at, order_id AS key FROM orders
    UNION ALL
    SELECT product_id, product_name, product_category, adjustment_timestamp, adjustment_id FROM inventory_history
),

named AS (
    SELECT
        product_id,
        coalesce(max(CASE WHEN product_name IS NOT NULL THEN seen_at END), max(seen_at)) AS seen_at
    FROM seen
    GROUP BY product_id
),

products AS (
    SELECT DISTINCT ON (product_id) product_id, product_name, product_category
    FROM seen
    INNER JOIN named USING (product_id, seen_at)
    ORDER BY product_id, product_name IS NULL, key DESC
)

SELECT
    product_id, bottles, revenue, orders, coalesce(product_name, '—'), coalesce(product_category, '—')
FROM sold
INNER JOIN products USING (product_id)
ORDER BY revenue DESC, product_id;
