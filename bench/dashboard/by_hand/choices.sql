SELECT min(day), max(day)
FROM (SELECT order_date AS day FROM orders UNION ALL SELECT adjustment_date FROM inventory_history);

SELECT max(timezone('Europe/Paris', timezone('UTC', order_timestamp))) FROM orders WHERE order_date = $end;

SELECT DISTINCT product_category
FROM (SELECT product_category FROM orders UNION ALL SELECT product_category FROM inventory_history)
WHERE product_category IS NOT NULL
ORDER BY 1 LIMIT 100;

SELECT DISTINCT sales_channel FROM orders WHERE sales_channel IS NOT NULL ORDER BY 1 LIMIT 100;

SELECT DISTINCT warehouse_location FROM inventory_current ORDER BY 1 LIMIT 100;
