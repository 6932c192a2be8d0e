-- Why:   the tables of the pipeline as one would make them in DuckDB, without streams and tasks.
-- Rerun: made once in an empty file.
CREATE SEQUENCE arrival;
CREATE TABLE raw_events (
    arrival BIGINT DEFAULT nextval('arrival'),
    event_metadata JSON,
    event_content JSON,
    ingested_at TIMESTAMP DEFAULT (current_timestamp AT TIME ZONE 'UTC')
);
CREATE TABLE progress (last_arrival BIGINT);
INSERT INTO progress VALUES (0);
CREATE TABLE stg_orders (
    order_id VARCHAR, event_timestamp TIMESTAMP, customer_id BIGINT, product_id BIGINT, product_name VARCHAR,
    product_category VARCHAR, quantity BIGINT, unit_price DECIMAL(12, 2), discount DECIMAL(12, 2),
    total_amount DECIMAL(12, 2), sales_channel VARCHAR, payment_method VARCHAR, shipping_address VARCHAR,
    bottle_size_l DECIMAL(6, 3), source_service VARCHAR, content_hash VARCHAR, source_topic VARCHAR,
    source_partition BIGINT, source_offset BIGINT, staged_at TIMESTAMP
);
CREATE TABLE stg_adjustments (
    adjustment_id VARCHAR, event_timestamp TIMESTAMP, product_id BIGINT, product_name VARCHAR,
    product_category VARCHAR, warehouse_location VARCHAR, quantity_change BIGINT, adjustment_type VARCHAR,
    reason VARCHAR, source_service VARCHAR, content_hash VARCHAR, source_topic VARCHAR,
    source_partition BIGINT, source_offset BIGINT, staged_at TIMESTAMP
);
CREATE TABLE rejected_events (
    event_content JSON, event_metadata JSON, reasons VARCHAR[], source_topic VARCHAR,
    source_partition BIGINT, source_offset BIGINT, ingested_at TIMESTAMP, rejected_at TIMESTAMP
);
CREATE TABLE duplicate_events (
    event_type VARCHAR, event_key VARCHAR, content_hash VARCHAR, source_topic VARCHAR,
    source_partition BIGINT, source_offset BIGINT, detected_at TIMESTAMP
);
CREATE TABLE orders AS
SELECT *, NULL::DATE AS order_date, NULL::TIMESTAMP AS updated_at FROM stg_orders LIMIT 0;
CREATE TABLE inventory_history AS
SELECT *, NULL::DATE AS adjustment_date, NULL::TIMESTAMP AS updated_at FROM stg_adjustments LIMIT 0;
CREATE TABLE inventory_current (
    product_id BIGINT, warehouse_location VARCHAR, product_name VARCHAR, product_category VARCHAR,
    stock BIGINT, last_adjusted_at TIMESTAMP, updated_at TIMESTAMP
);
