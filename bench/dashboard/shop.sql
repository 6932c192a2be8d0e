-- Why:   two years of a large shop, the tables that the dashboard reads, as one would make them in DuckDB.
--        Every value follows from the row's number by hash(), so each run has the same rows in the same order.
-- Reads: the table catalogue (place, product_id, name, category, unit_cents, bottle_size_l), the table location
--        (place, name), and the variables orders, movements, staged (the latest events, which RAW and STAGING
--        still have; the others were purged) and customers.
-- Rerun: made once in an empty file.

-- A whole number below another, and a number below 1: chance that is the same in each run.
CREATE MACRO pick(n, purpose, below) AS (hash(n, purpose) % below)::BIGINT;
CREATE MACRO chance(n, purpose) AS (hash(n, purpose) >> 11)::DOUBLE / 9007199254740992;
-- Most is sold by day: a tenth until eight o'clock (UTC), seven tenths until eight in the evening.
CREATE MACRO second_of_day(f) AS
    CASE WHEN f < 0.1 THEN f * 288000 WHEN f < 0.8 THEN 28800 + (f - 0.1) * 61714 ELSE 72000 + (f - 0.8) * 71990 END;
-- The last day is not over: 729 whole days, and most of one.
CREATE MACRO moment(n, total) AS
    TIMESTAMP '2023-06-04' + to_days(floor(n * 729.75 / total)::INTEGER)
    + to_milliseconds((second_of_day(n * 729.75 / total - floor(n * 729.75 / total)) * 1000)::BIGINT);
CREATE MACRO paris_day(moment) AS timezone('Europe/Paris', timezone('UTC', moment))::DATE;

CREATE TABLE orders AS
WITH drawn AS (
    SELECT
        n,
        -- One in 32 comes late, by up to ten minutes.
        moment(n, getvariable('orders'))
        - to_seconds(CASE WHEN chance(n, 'late') < 1 / 32 THEN chance(n, 'by') * 600 ELSE 0 END::INTEGER) AS moment,
        -- Customers come one after the other, and some buy more often than others.
        500001 + floor(
            least(chance(n, 'customer'), chance(n, 'or customer'))
            * getvariable('customers') * (0.1 + 0.9 * n / getvariable('orders'))
        )::BIGINT AS customer_id,
        -- The front of the catalogue sells better.
        floor(200 * CASE
            WHEN chance(n, 'popular') < 0.5 THEN chance(n, 'product')
            ELSE least(chance(n, 'product'), chance(n, 'or product'))
        END)::BIGINT AS place,
        1 + floor(12 * chance(n, 'bottles') ** 3)::BIGINT AS quantity,
        (pick(n, 'discount', 10) = 0)::INTEGER AS is_reduced
    FROM range(getvariable('orders')) AS numbers (n)
)

SELECT
    'OL-bench-' || lpad(n::VARCHAR, 8, '0') AS order_id,
    paris_day(moment) AS order_date,
    moment AS order_timestamp,
    customer_id,
    product_id,
    catalogue.name AS product_name,
    category AS product_category,
    quantity,
    (unit_cents / 100)::DECIMAL(12, 2) AS unit_price,
    (is_reduced * unit_cents * quantity // 10 / 100)::DECIMAL(12, 2) AS discount,
    ((unit_cents * quantity - is_reduced * unit_cents * quantity // 10) / 100)::DECIMAL(12, 2) AS total_amount,
    ['WEB', 'WEB', 'WEB', 'BOUTIQUE', 'BOUTIQUE', 'APPLI_MOBILE', 'TELEPHONE'][1 + pick(n, 'channel', 7)]
        AS sales_channel,
    ['CARTE', 'CARTE', 'CARTE', 'PAYPAL', 'VIREMENT', 'ESPECES'][1 + pick(n, 'payment', 6)] AS payment_method,
    (1 + customer_id % 180) || ', rue ' || ['Haute', 'Basse', 'Neuve', 'du Port'][1 + customer_id % 4]
        || ', ' || lpad((customer_id * 7919 % 96000)::VARCHAR, 5, '0') || ' Ville' AS shipping_address,
    bottle_size_l,
    moment + to_seconds(2) AS created_at,
    moment + to_seconds(2) AS updated_at,
    'shop' AS source_topic,
    n % 4 AS source_partition,
    n // 4 AS source_offset
FROM drawn
INNER JOIN catalogue USING (place)
ORDER BY n;

-- Shelves move one after the other, each to a level of its own that is never the one before.
CREATE MACRO level(shelf, turn) AS
    CASE WHEN turn < 0 THEN 0 ELSE 2 * pick(shelf * 1000003 + turn, 'level', 60) + turn % 2 END;

CREATE TABLE inventory_history AS
WITH drawn AS (
    SELECT
        n,
        moment(n, getvariable('movements')) AS moment,
        n % 800 AS shelf,
        level(n % 800, n // 800) - level(n % 800, n // 800 - 1) AS change
    FROM range(getvariable('movements')) AS numbers (n)
)

SELECT
    'ADJ-bench-' || lpad(n::VARCHAR, 8, '0') AS adjustment_id,
    paris_day(moment) AS adjustment_date,
    moment AS adjustment_timestamp,
    product_id,
    catalogue.name AS product_name,
    category AS product_category,
    location.name AS warehouse_location,
    change AS quantity_change,
    CASE WHEN change > 0 THEN 'REPLENISHMENT' ELSE ['CORRECTION', 'SPOILAGE'][1 + n % 2] END AS adjustment_type,
    CASE WHEN n % 4 > 0 THEN 'remarque ' || pick(n, 'reason', 64) END AS reason,
    moment + to_seconds(2) AS created_at,
    moment + to_seconds(2) AS updated_at,
    'shop' AS source_topic,
    n % 4 AS source_partition,
    getvariable('orders') + n // 4 AS source_offset
FROM drawn
INNER JOIN catalogue ON shelf % 200 = catalogue.place
INNER JOIN location ON shelf // 200 = location.place
ORDER BY n;

CREATE TABLE inventory_current AS
SELECT
    product_id,
    warehouse_location,
    any_value(product_name) AS product_name,
    any_value(product_category) AS product_category,
    sum(quantity_change)::BIGINT AS current_stock_level,
    max(adjustment_timestamp) AS last_adjustment_timestamp,
    max(updated_at) AS updated_at
FROM inventory_history
GROUP BY product_id, warehouse_location
ORDER BY product_id, warehouse_location;

CREATE TABLE stg_orders AS
SELECT
    order_id, order_timestamp AS event_timestamp, customer_id, product_id, product_name, product_category, quantity,
    unit_price, discount, total_amount, sales_channel, payment_method, shipping_address, bottle_size_l,
    'web-shop' AS source_service, sha256(order_id) AS content_hash, source_topic, source_partition, source_offset,
    created_at AS staged_at
FROM orders
WHERE source_offset >= (getvariable('orders') - getvariable('staged')) // 4;

CREATE TABLE stg_inventory_adjustments AS
SELECT
    adjustment_id, adjustment_timestamp AS event_timestamp, product_id, product_name, product_category,
    warehouse_location, quantity_change, adjustment_type, reason, 'stock-api' AS source_service,
    sha256(adjustment_id) AS content_hash, source_topic, source_partition, source_offset, created_at AS staged_at
FROM inventory_history
WHERE source_offset - getvariable('orders') >= (getvariable('movements') - getvariable('staged') * 3 // 7) // 4;

CREATE TABLE rejected_events AS
SELECT
    'ORDER_CREATED' AS event_type,
    json_object('event_type', 'ORDER_CREATED', 'order_line_id', order_id, 'quantity', 0) AS event_content,
    json_object('topic', 'bad', 'partition', source_partition, 'offset', source_offset) AS event_metadata,
    CASE WHEN pick(order_id, 'reasons', 3) = 0 THEN '["INVALID_QUANTITY"]'
        ELSE '["MISSING_EVENT_TS","INVALID_QUANTITY"]' END::JSON AS reasons,
    'bad' AS source_topic, source_partition, source_offset,
    staged_at AS ingestion_time, staged_at AS rejected_at,
    CASE WHEN pick(order_id, 'fate', 5) = 0 THEN staged_at + to_seconds(3600) END AS replayed_at,
    CASE WHEN pick(order_id, 'fate', 5) = 1 THEN staged_at + to_seconds(7200) END AS dismissed_at
FROM stg_orders
WHERE pick(order_id, 'bad', 200) = 0;

CREATE TABLE duplicate_events AS
SELECT
    'ORDER_CREATED' AS event_type, order_id AS event_key, content_hash, 'again' AS source_topic, source_partition,
    source_offset, staged_at AS detected_at
FROM stg_orders
WHERE pick(order_id, 'again', 100) = 0;

CREATE TABLE raw_events_stream AS
SELECT
    'ORDER_CREATED' AS event_type, product_id, customer_id,
    json_object(
        'topic', source_topic, 'partition', source_partition, 'offset', source_offset, 'format', 'json',
        'timestamp_ms', epoch_ms(event_timestamp), 'key', product_id::VARCHAR, 'encoding', 'utf-8'
    ) AS event_metadata,
    json_object(
        'event_type', 'ORDER_CREATED', 'order_line_id', order_id, 'customer_id', customer_id,
        'shipping_address', shipping_address, 'product_id', product_id, 'product_name', product_name,
        'category', product_category, 'bottle_size_l', bottle_size_l, 'quantity', quantity,
        'unit_price', unit_price, 'discount', discount, 'total_price', total_amount, 'sales_channel', sales_channel,
        'payment_method', payment_method, 'source_service', source_service, 'event_ts', event_timestamp
    ) AS event_content,
    timezone('UTC', staged_at) AS ingestion_time
FROM stg_orders
UNION ALL
SELECT
    'INVENTORY_ADJUSTED' AS event_type, product_id, NULL AS customer_id,
    json_object(
        'topic', source_topic, 'partition', source_partition, 'offset', source_offset, 'format', 'json',
        'timestamp_ms', epoch_ms(event_timestamp), 'key', product_id::VARCHAR, 'encoding', 'utf-8'
    ) AS event_metadata,
    json_object(
        'event_type', 'INVENTORY_ADJUSTED', 'event_id', adjustment_id, 'product_id', product_id,
        'product_name', product_name, 'category', product_category, 'quantity_change', quantity_change,
        'adjustment_type', adjustment_type, 'warehouse_location', warehouse_location, 'reason', reason,
        'source_service', source_service, 'event_ts', event_timestamp
    ) AS event_content,
    timezone('UTC', staged_at) AS ingestion_time
FROM stg_inventory_adjustments
UNION ALL
SELECT event_type, NULL, NULL, event_metadata, event_content, timezone('UTC', ingestion_time) FROM rejected_events
UNION ALL
SELECT
    event_type, NULL, NULL,
    json_object('topic', source_topic, 'partition', source_partition, 'offset', source_offset, 'format', 'json'),
    json_object('event_type', event_type, 'order_line_id', event_key), timezone('UTC', detected_at)
FROM duplicate_events;

CREATE TABLE kafka_offsets AS
SELECT 'shop' AS topic, source_partition AS "partition", max(source_offset) + 1 AS next_offset, 0 AS first_offset,
    max(created_at) AS updated_at
FROM inventory_history
GROUP BY source_partition;

CREATE TABLE alert_log AS
SELECT
    ['LOW_STOCK', 'PIPELINE_LAG', 'REJECTED_SHARE'][1 + n % 3] AS alert_name,
    'SUBJECT-' || n AS subject,
    ['WARNING', 'CRITICAL'][1 + n % 2] AS severity,
    json_object('found', n) AS details,
    TIMESTAMP '2025-05-01' + to_minutes(n::INTEGER) AS fired_at,
    CASE WHEN n % 10 > 0 THEN TIMESTAMP '2025-05-01' + to_minutes((n + 30)::INTEGER) END AS cleared_at
FROM range(1000) AS numbers (n);

CREATE TABLE last_tick AS SELECT max(updated_at) AS at FROM orders;
