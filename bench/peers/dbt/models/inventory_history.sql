{{ config(incremental_strategy='delete+insert', unique_key='adjustment_id') }}
SELECT *, timezone('Europe/Paris', timezone('UTC', event_timestamp))::DATE AS adjustment_date,
    current_timestamp AT TIME ZONE 'UTC' AS updated_at
FROM {{ ref('counts_now') }}
