-- Why:    each event of the tick goes to one table of four.
-- Reads:  classified. Writes: rejected_events, duplicate_events, stg_orders, stg_adjustments.
INSERT INTO rejected_events
SELECT event_content, event_metadata, reasons, source_topic, source_partition, source_offset, ingested_at,
    current_timestamp AT TIME ZONE 'UTC'
FROM classified WHERE len(reasons) > 0;

INSERT INTO duplicate_events
SELECT kind, coalesce(order_id, adjustment_id), content_hash, source_topic, source_partition, source_offset,
    current_timestamp AT TIME ZONE 'UTC'
FROM classified WHERE len(reasons) = 0 AND (delivered > 1 OR is_staged);

CREATE OR REPLACE TEMP TABLE new_orders AS
SELECT order_id, event_timestamp, customer_id, product_id, product_name, product_category, quantity,
    unit_price, discount, total_amount, sales_channel, payment_method, shipping_address, bottle_size_l,
    source_service, content_hash, source_topic, source_partition, source_offset,
    current_timestamp AT TIME ZONE 'UTC' AS staged_at
FROM classified
WHERE len(reasons) = 0 AND delivered = 1 AND NOT is_staged AND kind = 'ORDER_CREATED';

CREATE OR REPLACE TEMP TABLE new_adjustments AS
SELECT adjustment_id, event_timestamp, product_id, product_name, product_category, warehouse_location,
    quantity_change, adjustment_type, reason, source_service, content_hash, source_topic, source_partition,
    source_offset, current_timestamp AT TIME ZONE 'UTC' AS staged_at
FROM classified
WHERE len(reasons) = 0 AND delivered = 1 AND NOT is_staged AND kind = 'INVENTORY_ADJUSTED';

INSERT INTO stg_orders FROM new_orders;
