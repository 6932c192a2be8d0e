{{ config(incremental_strategy='delete+insert', unique_key=['product_id', 'warehouse_location']) }}
WITH came AS (
    SELECT product_id, warehouse_location, arg_max(product_name, event_timestamp) AS product_name,
        arg_max(product_category, event_timestamp) AS product_category, sum(change)::BIGINT AS stock,
        max(event_timestamp) AS last_adjusted_at, current_timestamp AT TIME ZONE 'UTC' AS updated_at
    FROM (
        SELECT *, quantity_change AS change FROM {{ ref('counts_now') }}
        UNION ALL
        SELECT *, -quantity_change AS change FROM {{ ref('counted_before') }}
    )
    GROUP BY product_id, warehouse_location
)
SELECT product_id, warehouse_location,
    if(known.last_adjusted_at >= came.last_adjusted_at, known.product_name, came.product_name) AS product_name,
    if(known.last_adjusted_at >= came.last_adjusted_at, known.product_category, came.product_category)
        AS product_category,
    came.stock + coalesce(known.stock, 0) AS stock,
    greatest(came.last_adjusted_at, known.last_adjusted_at) AS last_adjusted_at,
    came.updated_at
FROM came LEFT JOIN {{ this }} AS known USING (product_id, warehouse_location)
