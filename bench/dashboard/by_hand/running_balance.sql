WITH daily AS (
    SELECT adjustment_date AS day, sum(quantity_change) AS change
    FROM inventory_history
    WHERE product_id = $product AND adjustment_date <= $end
    GROUP BY day
),

balanced AS (SELECT day, change, sum(change) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS balance FROM daily)

SELECT * FROM balanced WHERE day >= $start ORDER BY day DESC LIMIT 366;
