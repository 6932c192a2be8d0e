WITH newest AS (
    SELECT *
    FROM inventory_history
    WHERE adjustment_date BETWEEN $start AND $end
    ORDER BY adjustment_timestamp DESC, adjustment_id LIMIT 50
),

ledger AS (
    SELECT
        *,
        sum(quantity_change) OVER (
            PARTITION BY product_id, warehouse_location
            ORDER BY adjustment_timestamp, source_partition, source_offset, adjustment_id
            ROWS UNBOUNDED PRECEDING
        ) AS balance
    FROM inventory_history
    WHERE (product_id, warehouse_location) IN (SELECT (product_id, warehouse_location) FROM newest)
)

SELECT
    timezone('Europe/Paris', timezone('UTC', adjustment_timestamp)), product_id, product_name, warehouse_location,
    adjustment_type, quantity_change, balance, reason
FROM ledger
WHERE adjustment_id IN (SELECT adjustment_id FROM newest)
ORDER BY adjustment_timestamp DESC, adjustment_id;
