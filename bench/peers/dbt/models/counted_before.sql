-- The versions that counted until now. stg_adjustments as it was before this run: no ref, or dbt sees a circle.
{{ config(materialized='table') }}
SELECT * FROM {{ target.schema }}.stg_adjustments
WHERE adjustment_id IN (SELECT adjustment_id FROM {{ ref('new_adjustments') }})
QUALIFY row_number() OVER (
    PARTITION BY adjustment_id
    ORDER BY event_timestamp DESC, source_offset DESC, source_partition DESC, source_topic DESC
) = 1
