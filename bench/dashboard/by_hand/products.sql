SELECT product_id, coalesce(max(product_name), '—') AS name
FROM inventory_current
GROUP BY product_id ORDER BY name, product_id LIMIT 1000;
