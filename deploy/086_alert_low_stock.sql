-- Why: somebody must order before a shelf is empty.
-- Grain: one subject per product and place, such as 1001/PARIS-BERCY.
-- Reads/Writes: reads PRODUCTION.INVENTORY_CURRENT; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: one row per product and place; history is not read.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_LOW_STOCK
    SCHEDULE = '5 MINUTE'
    COMMENT = 'A product runs out in a place'
IF (EXISTS (
    WITH LIMITS AS (
        SELECT MAX(IFF(SETTING = 'LOW_STOCK_BOTTLES', THRESHOLD, NULL)) AS LOW_STOCK_BOTTLES
        FROM OPS.ALERT_SETTINGS
    ),

    FOUND AS (
        SELECT
            CONCAT(STOCK.PRODUCT_ID::VARCHAR, '/', STOCK.WAREHOUSE_LOCATION) AS SUBJECT,
            IFF(STOCK.CURRENT_STOCK_LEVEL <= 0, 'CRITICAL', 'WARNING') AS SEVERITY,
            OBJECT_CONSTRUCT(
                'product', STOCK.PRODUCT_NAME,
                'bottles', STOCK.CURRENT_STOCK_LEVEL,
                'threshold', LIMITS.LOW_STOCK_BOTTLES
            ) AS DETAILS
        FROM PRODUCTION.INVENTORY_CURRENT AS STOCK
        INNER JOIN LIMITS ON STOCK.CURRENT_STOCK_LEVEL < LIMITS.LOW_STOCK_BOTTLES
        -- A damaged table may hold a place twice; a subject is one row of the log all the same.
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY STOCK.PRODUCT_ID, STOCK.WAREHOUSE_LOCATION
            ORDER BY STOCK.CURRENT_STOCK_LEVEL
        ) = 1
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'LOW_STOCK'
    )

    SELECT
        FOUND.SEVERITY,
        'LOW_STOCK' AS ALERT_NAME,
        COALESCE(FOUND.SUBJECT, OPEN_NOW.SUBJECT) AS SUBJECT,
        TO_JSON(FOUND.DETAILS) AS DETAILS
    FROM FOUND
    FULL OUTER JOIN OPEN_NOW ON FOUND.SUBJECT = OPEN_NOW.SUBJECT
    WHERE FOUND.SEVERITY IS DISTINCT FROM OPEN_NOW.SEVERITY
))
THEN
    MERGE INTO OPS.ALERT_LOG AS KEPT
    USING (
        SELECT
            ALERT_NAME,
            SUBJECT,
            SEVERITY,
            PARSE_JSON(DETAILS) AS DETAILS
        FROM TABLE(RESULT_SCAN(SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID()))
    ) AS CHANGED
        ON
            KEPT.ALERT_NAME = CHANGED.ALERT_NAME
            AND KEPT.SUBJECT = CHANGED.SUBJECT
            AND KEPT.CLEARED_AT IS NULL
    WHEN MATCHED AND CHANGED.SEVERITY IS NULL THEN UPDATE SET CLEARED_AT = SYSDATE()
    WHEN MATCHED THEN UPDATE SET
        SEVERITY = CHANGED.SEVERITY,
        DETAILS = CHANGED.DETAILS,
        FIRING_SENT_AT = NULL
    WHEN NOT MATCHED AND CHANGED.SEVERITY IS NOT NULL THEN INSERT (ALERT_NAME, SUBJECT, SEVERITY, DETAILS, FIRED_AT)
    VALUES (CHANGED.ALERT_NAME, CHANGED.SUBJECT, CHANGED.SEVERITY, CHANGED.DETAILS, SYSDATE());
