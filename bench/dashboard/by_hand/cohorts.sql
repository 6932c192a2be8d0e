WITH first AS (
    SELECT customer_id, date_trunc($cohort, min(order_date))::DATE AS cohort
    FROM orders
    WHERE order_date <= $end
    GROUP BY customer_id
    HAVING date_diff($cohort, cohort, $end) < 12
)

SELECT cohort, date_diff($cohort, cohort, order_date) AS age, count(DISTINCT customer_id)
FROM orders
INNER JOIN first USING (customer_id)
WHERE order_date <= $end
GROUP BY cohort, age ORDER BY cohort, age;
