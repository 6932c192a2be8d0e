WITH bought AS (
    SELECT customer_id, order_date, sum(total_amount) AS revenue
    FROM orders
    WHERE order_date BETWEEN $start AND $end
    GROUP BY customer_id, order_date
),

people AS (
    SELECT customer_id, count(*) AS baskets, sum(revenue) AS revenue, max(order_date) AS last_order
    FROM bought
    GROUP BY customer_id
),

scored AS (
    SELECT
        *, date_diff('day', last_order, $end) AS days_since,
        (rank() OVER (ORDER BY last_order) - 1) * 5 // count(*) OVER () + 1 AS recency,
        (rank() OVER (ORDER BY baskets) - 1) * 5 // count(*) OVER () + 1 AS frequency,
        (rank() OVER (ORDER BY revenue) - 1) * 5 // count(*) OVER () + 1 AS monetary
    FROM people
),

named AS (
    SELECT
        *,
        CASE
            WHEN recency >= 4 AND frequency >= 4 AND monetary >= 4 THEN 'CHAMPION'
            WHEN recency >= 3 AND frequency >= 3 THEN 'LOYAL'
            WHEN recency >= 3 AND baskets = 1 THEN 'NEW'
            WHEN recency >= 3 THEN 'PROMISING'
            WHEN frequency >= 3 THEN 'AT_RISK'
            ELSE 'HIBERNATING'
        END AS segment
    FROM scored
),

placed AS (
    SELECT
        customer_id, segment, recency, frequency, monetary, baskets, revenue, last_order, days_since,
        count(*) OVER (PARTITION BY segment), sum(baskets) OVER (PARTITION BY segment),
        sum(revenue) OVER (PARTITION BY segment), avg(days_since) OVER (PARTITION BY segment),
        row_number() OVER (ORDER BY revenue DESC, customer_id) AS place,
        row_number() OVER (PARTITION BY segment ORDER BY revenue DESC, customer_id) AS place_in_segment
    FROM named
)

SELECT * FROM placed WHERE place <= 50 OR place_in_segment = 1 ORDER BY place;
