SELECT coalesce(sales_channel, '—') AS name, sum(total_amount) AS revenue, count(*), sum(quantity)
FROM orders
WHERE order_date BETWEEN $start AND $end
GROUP BY name ORDER BY revenue DESC, name LIMIT 100;
