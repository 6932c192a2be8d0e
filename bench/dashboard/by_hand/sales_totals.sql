SELECT
    order_date >= $start, count(*), count(DISTINCT customer_id), sum(total_amount), sum(quantity),
    count(DISTINCT (customer_id, order_date))
FROM orders
WHERE order_date BETWEEN $before AND $end
    AND (order_date >= $start OR timezone('Europe/Paris', timezone('UTC', order_timestamp)) <= $before_until)
GROUP BY 1;
