SELECT
    coalesce(product_category, '—') AS category, warehouse_location, sum(current_stock_level),
    count(DISTINCT product_id)
FROM inventory_current
GROUP BY category, warehouse_location ORDER BY warehouse_location, category LIMIT 500;
