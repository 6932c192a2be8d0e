-- Why: buyers order by the stock level; it must be the sum of its history.
-- Grain: one subject, by the name that `caves verify` gives the invariant.
-- Reads/Writes: reads PRODUCTION and the two streams on its adjustments; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: four columns of INVENTORY_HISTORY, whole: the one condition that grows with history, so it looks once a day.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.
-- While movements wait, history and stock may differ and nothing is decided.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_BROKEN_STOCK
    SCHEDULE = '1440 MINUTE'
    COMMENT = 'Stock differs from the sum of its history'
IF (EXISTS (
    WITH SUMMED AS (
        SELECT
            PRODUCT_ID,
            WAREHOUSE_LOCATION,
            SUM(QUANTITY_CHANGE) AS BOTTLES
        FROM PRODUCTION.INVENTORY_HISTORY
        GROUP BY PRODUCT_ID, WAREHOUSE_LOCATION
    ),

    DIFFERENT AS (
        SELECT COUNT(*) AS AMOUNT
        FROM PRODUCTION.INVENTORY_CURRENT AS STOCK
        FULL OUTER JOIN SUMMED
            ON STOCK.PRODUCT_ID = SUMMED.PRODUCT_ID AND STOCK.WAREHOUSE_LOCATION = SUMMED.WAREHOUSE_LOCATION
        WHERE
            STOCK.PRODUCT_ID IS NULL
            OR STOCK.CURRENT_STOCK_LEVEL <> COALESCE(SUMMED.BOTTLES, 0)
    ),

    WAITING AS (
        SELECT COUNT(*) AS AMOUNT FROM RAW_DATA.STREAM_STG_INVENTORY_FOR_HISTORY
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM RAW_DATA.STREAM_STG_INVENTORY_FOR_CURRENT
    ),

    FOUND AS (
        SELECT
            'stock_is_the_sum_of_its_history' AS SUBJECT,
            'CRITICAL' AS SEVERITY,
            OBJECT_CONSTRUCT('places', AMOUNT) AS DETAILS
        FROM DIFFERENT
        WHERE AMOUNT > 0
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'BROKEN_STOCK'
    )

    SELECT
        FOUND.SEVERITY,
        'BROKEN_STOCK' AS ALERT_NAME,
        COALESCE(FOUND.SUBJECT, OPEN_NOW.SUBJECT) AS SUBJECT,
        TO_JSON(FOUND.DETAILS) AS DETAILS
    FROM FOUND
    FULL OUTER JOIN OPEN_NOW ON FOUND.SUBJECT = OPEN_NOW.SUBJECT
    WHERE (SELECT SUM(WAITING.AMOUNT) FROM WAITING) = 0 AND FOUND.SEVERITY IS DISTINCT FROM OPEN_NOW.SEVERITY
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
