WITH hourly AS (
    SELECT order_date, date_trunc('hour', order_timestamp) AS started, sum(total_amount) AS revenue, count(*) AS orders
    FROM orders
    WHERE order_date BETWEEN $start AND $end
    GROUP BY order_date, started
)

SELECT
    isodow(order_date) AS weekday, hour(timezone('Europe/Paris', timezone('UTC', started))) AS hour,
    sum(revenue), sum(orders)
FROM hourly
GROUP BY weekday, hour ORDER BY weekday, hour;
