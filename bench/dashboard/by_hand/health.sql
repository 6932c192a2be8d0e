SELECT 'raw_data.raw_events_stream' AS name, count(*), max(timezone('UTC', ingestion_time)), NULL FROM raw_events_stream
UNION ALL
SELECT 'raw_data.kafka_offsets', count(*), max(updated_at), NULL FROM kafka_offsets
UNION ALL
SELECT 'staging.stg_orders', count(*), max(staged_at), max(event_timestamp) FROM stg_orders
UNION ALL
SELECT 'staging.stg_inventory_adjustments', count(*), max(staged_at), max(event_timestamp)
FROM stg_inventory_adjustments
UNION ALL
SELECT 'staging.rejected_events', count(*), max(rejected_at), NULL FROM rejected_events
UNION ALL
SELECT 'staging.duplicate_events', count(*), max(detected_at), NULL FROM duplicate_events
UNION ALL
SELECT 'production.orders', count(*), max(updated_at), max(order_timestamp) FROM orders
UNION ALL
SELECT 'production.inventory_history', count(*), max(updated_at), max(adjustment_timestamp) FROM inventory_history
UNION ALL
SELECT 'production.inventory_current', count(*), max(updated_at), max(last_adjustment_timestamp) FROM inventory_current
UNION ALL
-- What a stream tells, by hand: what has come since the last tick.
SELECT 'raw_data.stream_raw_events', count(*), NULL, NULL
FROM raw_events_stream, last_tick
WHERE ingestion_time > last_tick.at
UNION ALL
SELECT 'raw_data.stream_stg_orders', count(*), NULL, NULL FROM stg_orders, last_tick WHERE staged_at > last_tick.at
UNION ALL
SELECT 'raw_data.stream_stg_inventory_for_history', count(*), NULL, NULL
FROM stg_inventory_adjustments, last_tick
WHERE staged_at > last_tick.at
UNION ALL
SELECT 'raw_data.stream_stg_inventory_for_current', count(*), NULL, NULL
FROM stg_inventory_adjustments, last_tick
WHERE staged_at > last_tick.at
UNION ALL
SELECT topic || '/' || "partition", next_offset, NULL, NULL FROM kafka_offsets
UNION ALL
SELECT reason, count(*), NULL, NULL
FROM (SELECT unnest(reasons::VARCHAR[]) AS reason FROM rejected_events WHERE replayed_at IS NULL AND dismissed_at IS NULL)
GROUP BY reason;
