-- Why:   every event that came since the last tick, typed, with the reasons to reject it and its number
--        among the deliveries of its content. JSON is read once.
-- Reads: raw_events, progress, stg_orders, stg_adjustments.
CREATE OR REPLACE TEMP TABLE classified AS
WITH texts AS (
    SELECT
        event_content, event_metadata, ingested_at,
        json_type(event_content) AS content_type,
        sha256(event_content::VARCHAR) AS content_hash,
        json_extract_string(event_metadata, ['$.topic', '$.partition', '$.offset']) AS place,
        json_extract_string(event_content, [
            '$.event_type', '$.order_line_id', '$.event_ts', '$.customer_id', '$.product_id', '$.product_name',
            '$.category', '$.quantity', '$.unit_price', '$.discount', '$.total_price', '$.sales_channel',
            '$.payment_method', '$.shipping_address', '$.bottle_size_l', '$.source_service', '$.event_id',
            '$.warehouse_location', '$.quantity_change', '$.adjustment_type', '$.reason'
        ]) AS field,
        json_type(event_content, [
            '$.order_line_id', '$.product_name', '$.category', '$.sales_channel', '$.payment_method',
            '$.shipping_address', '$.source_service', '$.event_id', '$.warehouse_location',
            '$.adjustment_type', '$.reason'
        ]) AS kind_of
    FROM raw_events
    WHERE arrival > (SELECT last_arrival FROM progress)
), named AS (
    SELECT
        event_content, event_metadata, ingested_at, content_type, content_hash,
        place[1] AS source_topic,
        place[2]::BIGINT AS source_partition,
        place[3]::BIGINT AS source_offset,
        coalesce(field[1], '') AS kind,
        field[1] = 'ORDER_CREATED' AS is_order,
        field[1] = 'INVENTORY_ADJUSTED' AS is_adjustment,
        nullif(trim(field[2]), '') AS order_id_sent,
        nullif(trim(field[3]), '') AS time_sent,
        nullif(trim(field[4]), '') AS customer_sent,
        nullif(trim(field[5]), '') AS product_sent,
        nullif(trim(field[6]), '') AS name_sent,
        nullif(trim(field[7]), '') AS category_sent,
        nullif(trim(field[8]), '') AS quantity_sent,
        nullif(trim(field[9]), '') AS price_sent,
        nullif(trim(field[10]), '') AS discount_sent,
        nullif(trim(field[11]), '') AS total_sent,
        nullif(trim(field[12]), '') AS channel_sent,
        nullif(trim(field[13]), '') AS payment_sent,
        nullif(trim(field[14]), '') AS address_sent,
        nullif(trim(field[15]), '') AS bottle_sent,
        nullif(trim(field[16]), '') AS service_sent,
        nullif(trim(field[17]), '') AS adjustment_id_sent,
        nullif(trim(field[18]), '') AS location_sent,
        nullif(trim(field[19]), '') AS change_sent,
        nullif(trim(field[20]), '') AS type_sent,
        nullif(trim(field[21]), '') AS reason_sent,
        CASE WHEN kind_of[1] = 'VARCHAR' THEN order_id_sent END AS order_id,
        CASE WHEN kind_of[2] = 'VARCHAR' THEN name_sent END AS product_name,
        CASE WHEN kind_of[3] = 'VARCHAR' THEN category_sent END AS product_category,
        CASE WHEN kind_of[4] = 'VARCHAR' THEN channel_sent END AS sales_channel,
        CASE WHEN kind_of[5] = 'VARCHAR' THEN payment_sent END AS payment_method,
        CASE WHEN kind_of[6] = 'VARCHAR' THEN address_sent END AS shipping_address,
        CASE WHEN kind_of[7] = 'VARCHAR' THEN service_sent END AS source_service,
        CASE WHEN kind_of[8] = 'VARCHAR' THEN adjustment_id_sent END AS adjustment_id,
        CASE WHEN kind_of[9] = 'VARCHAR' THEN location_sent END AS warehouse_location,
        CASE WHEN kind_of[10] = 'VARCHAR' THEN type_sent END AS adjustment_type,
        CASE WHEN kind_of[11] = 'VARCHAR' THEN reason_sent END AS reason
    FROM texts
), typed AS (
    SELECT
        *,
        CASE WHEN regexp_full_match(
            upper(time_sent),
            '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?'
            '(Z|[-+][0-9]{2}(:?[0-9]{2})?)'
        ) THEN try_cast(time_sent AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END AS event_timestamp,
        CASE WHEN regexp_full_match(customer_sent, '[-+]?[0-9]{1,18}([.]0+)?')
            THEN try_cast(customer_sent AS BIGINT) END AS customer_id,
        CASE WHEN regexp_full_match(product_sent, '[-+]?[0-9]{1,18}([.]0+)?')
            THEN try_cast(product_sent AS BIGINT) END AS product_id,
        CASE WHEN regexp_full_match(quantity_sent, '[+]?0*[1-9][0-9]{0,8}([.]0+)?')
            THEN try_cast(quantity_sent AS BIGINT) END AS quantity,
        CASE WHEN regexp_full_match(price_sent, '[+]?[0-9]+([.][0-9]{1,2}0*)?')
            THEN try_cast(price_sent AS DECIMAL(12, 2)) END AS unit_price,
        CASE WHEN regexp_full_match(discount_sent, '[-+]?[0-9]+([.][0-9]{1,2}0*)?')
            THEN try_cast(discount_sent AS DECIMAL(12, 2)) END AS discount,
        CASE WHEN regexp_full_match(total_sent, '[-+]?[0-9]+([.][0-9]{1,2}0*)?')
            THEN try_cast(total_sent AS DECIMAL(12, 2)) END AS total_price,
        CASE WHEN regexp_full_match(bottle_sent, '[-+]?[0-9]+([.][0-9]{1,3}0*)?')
            THEN try_cast(bottle_sent AS DECIMAL(6, 3)) END AS bottle_size_l,
        CASE WHEN regexp_full_match(change_sent, '[-+]?0*[1-9][0-9]{0,8}([.]0+)?')
            THEN try_cast(change_sent AS BIGINT) END AS quantity_change
    FROM named
), judged AS (
    SELECT
        event_content, event_metadata, ingested_at, content_hash, source_topic, source_partition,
        source_offset, kind, order_id, event_timestamp, customer_id, product_id, product_name,
        product_category, quantity, unit_price, discount,
        coalesce(total_price, try_cast(quantity * unit_price::DECIMAL(30, 2) AS DECIMAL(12, 2))) AS total_amount,
        sales_channel, payment_method, shipping_address, bottle_size_l, source_service, adjustment_id,
        warehouse_location, quantity_change, adjustment_type, reason,
        list_filter([
            CASE
                WHEN content_type IS DISTINCT FROM 'OBJECT' THEN 'NOT_JSON_OBJECT'
                WHEN trim(kind) = '' THEN 'MISSING_EVENT_TYPE'
                WHEN NOT (is_order OR is_adjustment) THEN 'UNKNOWN_EVENT_TYPE'
            END,
            CASE WHEN is_order AND order_id IS NULL
                THEN if(order_id_sent IS NULL, 'MISSING_', 'INVALID_') || 'ORDER_LINE_ID' END,
            CASE WHEN (is_order OR is_adjustment) AND event_timestamp IS NULL
                THEN if(time_sent IS NULL, 'MISSING_', 'INVALID_') || 'EVENT_TS' END,
            CASE WHEN is_order AND customer_id IS NULL
                THEN if(customer_sent IS NULL, 'MISSING_', 'INVALID_') || 'CUSTOMER_ID' END,
            CASE WHEN (is_order OR is_adjustment) AND product_id IS NULL
                THEN if(product_sent IS NULL, 'MISSING_', 'INVALID_') || 'PRODUCT_ID' END,
            CASE WHEN (is_order OR is_adjustment) AND name_sent IS NOT NULL AND product_name IS NULL
                THEN 'INVALID_PRODUCT_NAME' END,
            CASE WHEN (is_order OR is_adjustment) AND category_sent IS NOT NULL AND product_category IS NULL
                THEN 'INVALID_CATEGORY' END,
            CASE WHEN is_order AND quantity IS NULL
                THEN if(quantity_sent IS NULL, 'MISSING_', 'INVALID_') || 'QUANTITY' END,
            CASE WHEN is_order AND unit_price IS NULL
                THEN if(price_sent IS NULL, 'MISSING_', 'INVALID_') || 'UNIT_PRICE' END,
            CASE WHEN is_order AND discount_sent IS NOT NULL AND discount IS NULL THEN 'INVALID_DISCOUNT' END,
            CASE WHEN is_order AND (
                (total_sent IS NOT NULL AND total_price IS NULL)
                OR (total_sent IS NULL AND quantity IS NOT NULL AND unit_price IS NOT NULL AND total_amount IS NULL)
            ) THEN 'INVALID_TOTAL_PRICE' END,
            CASE WHEN is_order AND channel_sent IS NOT NULL AND sales_channel IS NULL
                THEN 'INVALID_SALES_CHANNEL' END,
            CASE WHEN is_order AND payment_sent IS NOT NULL AND payment_method IS NULL
                THEN 'INVALID_PAYMENT_METHOD' END,
            CASE WHEN is_order AND address_sent IS NOT NULL AND shipping_address IS NULL
                THEN 'INVALID_SHIPPING_ADDRESS' END,
            CASE WHEN is_order AND bottle_sent IS NOT NULL AND bottle_size_l IS NULL
                THEN 'INVALID_BOTTLE_SIZE_L' END,
            CASE WHEN (is_order OR is_adjustment) AND service_sent IS NOT NULL AND source_service IS NULL
                THEN 'INVALID_SOURCE_SERVICE' END,
            CASE WHEN is_adjustment AND adjustment_id IS NULL
                THEN if(adjustment_id_sent IS NULL, 'MISSING_', 'INVALID_') || 'EVENT_ID' END,
            CASE WHEN is_adjustment AND warehouse_location IS NULL
                THEN if(location_sent IS NULL, 'MISSING_', 'INVALID_') || 'WAREHOUSE_LOCATION' END,
            CASE WHEN is_adjustment AND quantity_change IS NULL
                THEN if(change_sent IS NULL, 'MISSING_', 'INVALID_') || 'QUANTITY_CHANGE' END,
            CASE WHEN is_adjustment AND adjustment_type IS NULL
                THEN if(type_sent IS NULL, 'MISSING_', 'INVALID_') || 'ADJUSTMENT_TYPE' END,
            CASE WHEN is_adjustment AND reason_sent IS NOT NULL AND reason IS NULL THEN 'INVALID_REASON' END
        ], lambda code: code IS NOT NULL) AS reasons
    FROM typed
)
SELECT
    *,
    content_hash IN (FROM stg_orders SELECT content_hash)
        OR content_hash IN (FROM stg_adjustments SELECT content_hash) AS is_staged,
    row_number() OVER (
        PARTITION BY len(reasons) = 0, content_hash ORDER BY source_offset, source_partition, source_topic
    ) AS delivered
FROM judged;
