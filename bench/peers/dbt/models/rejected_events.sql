SELECT event_content, event_metadata, reasons, source_topic, source_partition, source_offset, ingested_at,
    current_timestamp AT TIME ZONE 'UTC' AS rejected_at
FROM {{ ref('classified') }} WHERE len(reasons) > 0
