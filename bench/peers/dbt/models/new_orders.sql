{{ config(materialized='table') }}
SELECT order_id, event_timestamp, customer_id, product_id, product_name, product_category, quantity,
    unit_price, discount, total_amount, sales_channel, payment_method, shipping_address, bottle_size_l,
    source_service, content_hash, source_topic, source_partition, source_offset,
    current_timestamp AT TIME ZONE 'UTC' AS staged_at
FROM {{ ref('classified') }}
WHERE len(reasons) = 0 AND delivered = 1 AND NOT is_staged AND kind = 'ORDER_CREATED'
