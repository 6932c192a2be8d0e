{{ config(incremental_strategy='delete+insert', unique_key='order_id') }}
WITH came AS (
    SELECT *, timezone('Europe/Paris', timezone('UTC', event_timestamp))::DATE AS order_date,
        current_timestamp AT TIME ZONE 'UTC' AS updated_at
    FROM {{ ref('new_orders') }}
    QUALIFY row_number() OVER (
        PARTITION BY order_id
        ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
    ) = 1
)
SELECT came.*
FROM came LEFT JOIN {{ this }} AS known USING (order_id)
WHERE known.order_id IS NULL
    OR (came.event_timestamp, came.source_offset, came.source_partition, came.source_topic)
    > (known.event_timestamp, known.source_offset, known.source_partition, known.source_topic)
