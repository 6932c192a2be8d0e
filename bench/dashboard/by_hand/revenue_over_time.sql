SELECT date_trunc($unit, order_date)::DATE AS day, sum(total_amount), count(*)
FROM orders
WHERE order_date BETWEEN $start AND $end
GROUP BY day ORDER BY day LIMIT 366;
