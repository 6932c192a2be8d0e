WITH first AS (
    SELECT customer_id, min(order_date) AS first_day FROM orders WHERE order_date <= $end GROUP BY customer_id
),

bought AS (
    SELECT customer_id, order_date, sum(total_amount) AS revenue
    FROM orders
    WHERE order_date BETWEEN $before AND $end
        AND (order_date >= $start OR timezone('Europe/Paris', timezone('UTC', order_timestamp)) <= $before_until)
    GROUP BY customer_id, order_date
),

people AS (
    SELECT order_date >= $start AS now, customer_id, count(*) AS baskets, sum(revenue) AS revenue
    FROM bought
    GROUP BY now, customer_id
)

SELECT
    now, count(*), count(*) FILTER (first_day >= CASE WHEN now THEN $start ELSE $before END),
    count(*) FILTER (baskets > 1), sum(baskets), sum(revenue)
FROM people
INNER JOIN first USING (customer_id)
GROUP BY now;
