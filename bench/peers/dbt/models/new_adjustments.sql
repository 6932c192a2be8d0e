{{ config(materialized='table') }}
SELECT adjustment_id, event_timestamp, product_id, product_name, product_category, warehouse_location,
    quantity_change, adjustment_type, reason, source_service, content_hash, source_topic, source_partition,
    source_offset, current_timestamp AT TIME ZONE 'UTC' AS staged_at
FROM {{ ref('classified') }}
WHERE len(reasons) = 0 AND delivered = 1 AND NOT is_staged AND kind = 'INVENTORY_ADJUSTED'
