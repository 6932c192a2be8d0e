SELECT kind AS event_type, coalesce(order_id, adjustment_id) AS event_key, content_hash, source_topic,
    source_partition, source_offset, current_timestamp AT TIME ZONE 'UTC' AS detected_at
FROM {{ ref('classified') }} WHERE len(reasons) = 0 AND (delivered > 1 OR is_staged)
