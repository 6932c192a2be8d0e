-- Why:    the latest version of each order and adjustment counts, and stock follows. A version's quantity
--         goes back where it was when a later one takes its place.
-- Reads:  new_orders, new_adjustments. Writes: orders, inventory_history, inventory_current.
MERGE INTO orders
USING (
    SELECT *, timezone('Europe/Paris', timezone('UTC', event_timestamp))::DATE AS order_date,
        current_timestamp AT TIME ZONE 'UTC' AS updated_at
    FROM new_orders
    QUALIFY row_number() OVER (
        PARTITION BY order_id
        ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
    ) = 1
) AS came
USING (order_id)
WHEN MATCHED AND (came.event_timestamp, came.source_offset, came.source_partition, came.source_topic)
    > (orders.event_timestamp, orders.source_offset, orders.source_partition, orders.source_topic)
    THEN UPDATE
WHEN NOT MATCHED THEN INSERT;

CREATE OR REPLACE TEMP TABLE counted_before AS
FROM stg_adjustments
WHERE adjustment_id IN (FROM new_adjustments SELECT adjustment_id)
QUALIFY row_number() OVER (
    PARTITION BY adjustment_id
    ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
) = 1;

CREATE OR REPLACE TEMP TABLE counts_now AS
FROM (FROM new_adjustments UNION ALL FROM counted_before)
QUALIFY row_number() OVER (
    PARTITION BY adjustment_id
    ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
) = 1;

INSERT INTO stg_adjustments FROM new_adjustments;

MERGE INTO inventory_history
USING (
    SELECT *, timezone('Europe/Paris', timezone('UTC', event_timestamp))::DATE AS adjustment_date,
        current_timestamp AT TIME ZONE 'UTC' AS updated_at
    FROM counts_now
) AS came
USING (adjustment_id)
WHEN MATCHED THEN UPDATE
WHEN NOT MATCHED THEN INSERT;

MERGE INTO inventory_current AS stock
USING (
    SELECT product_id, warehouse_location, arg_max(product_name, event_timestamp) AS product_name,
        arg_max(product_category, event_timestamp) AS product_category, sum(change)::BIGINT AS stock,
        max(event_timestamp) AS last_adjusted_at, current_timestamp AT TIME ZONE 'UTC' AS updated_at
    FROM (
        SELECT *, quantity_change AS change FROM counts_now
        UNION ALL
        SELECT *, -quantity_change AS change FROM counted_before
    )
    GROUP BY ALL
) AS came
USING (product_id, warehouse_location)
WHEN MATCHED THEN UPDATE SET
    product_name = if(came.last_adjusted_at > stock.last_adjusted_at, came.product_name, stock.product_name),
    product_category =
        if(came.last_adjusted_at > stock.last_adjusted_at, came.product_category, stock.product_category),
    stock = stock.stock + came.stock,
    last_adjusted_at = greatest(came.last_adjusted_at, stock.last_adjusted_at),
    updated_at = came.updated_at
WHEN NOT MATCHED THEN INSERT;

UPDATE progress SET last_arrival = (SELECT max(arrival) FROM raw_events);
