SELECT customer_id, sum(total_amount) AS revenue, count(*), sum(quantity), max(order_date)
FROM orders
WHERE order_date BETWEEN $start AND $end
GROUP BY customer_id ORDER BY revenue DESC, customer_id LIMIT 50;
