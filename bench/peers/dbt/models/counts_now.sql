{{ config(materialized='table') }}
SELECT * FROM (SELECT * FROM {{ ref('new_adjustments') }} UNION ALL SELECT * FROM {{ ref('counted_before') }})
QUALIFY row_number() OVER (
    PARTITION BY adjustment_id
    ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
) = 1
