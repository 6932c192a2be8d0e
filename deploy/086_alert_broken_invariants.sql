-- Why: a row too many or too few between Kafka and production must not wait for the next `caves verify`.
-- Grain: one subject per invariant, by the name that `caves verify` gives it.
-- Reads/Writes: reads RAW_DATA, STAGING and PRODUCTION; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: counts of whole tables, which Snowflake has ready; the rows that wait; keys written in the last day.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.
-- It counts and does not compare: `caves verify` is the proof, and reads everything.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_BROKEN_INVARIANTS
    SCHEDULE = '10 MINUTE'
    COMMENT = 'Rows are lost or doubled on their way'
IF (EXISTS (
    -- Those that were purged count, as do their outcomes.
    WITH RAW_ROWS AS (
        SELECT
            (SELECT COUNT(*) FROM RAW_DATA.RAW_EVENTS_STREAM)
            + (SELECT COALESCE(SUM(PURGED_ROWS), 0) FROM RAW_DATA.PURGED_OFFSETS) AS AMOUNT
    ),

    LOADED AS (
        SELECT NEXT_OFFSET - FIRST_OFFSET AS AMOUNT FROM RAW_DATA.KAFKA_OFFSETS
        UNION ALL
        -- A log that ended has its length in the gap that tells of its end; a gap within a log is not in RAW.
        SELECT IFF(FIRST_OFFSET IS NULL, FROM_OFFSET - TO_OFFSET, FROM_OFFSET - FIRST_OFFSET) AS AMOUNT
        FROM RAW_DATA.KAFKA_OFFSET_GAPS
    ),

    PLACED AS (
        SELECT COUNT(*) AS AMOUNT FROM RAW_DATA.STREAM_RAW_EVENTS
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM STAGING.STG_ORDERS
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM STAGING.STG_INVENTORY_ADJUSTMENTS
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM STAGING.PURGED_ORDERS
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM STAGING.PURGED_ADJUSTMENTS
        UNION ALL
        SELECT COALESCE(SUM(FORGOTTEN_ROWS), 0) AS AMOUNT FROM OPS.RETENTION
        UNION ALL
        SELECT COUNT(*) AS AMOUNT FROM STAGING.DUPLICATE_EVENTS
        UNION ALL
        -- What was taken back lies in one of the others now.
        SELECT COUNT(*) - COUNT(REPLAYED_AT) AS AMOUNT FROM STAGING.REJECTED_EVENTS
    ),

    COMPARED AS (
        SELECT
            'raw_holds_every_message_once' AS SUBJECT,
            (SELECT AMOUNT FROM RAW_ROWS) AS FOUND_ROWS,
            (SELECT COALESCE(SUM(AMOUNT), 0) FROM LOADED) AS EXPECTED_ROWS
        UNION ALL
        SELECT
            'every_raw_row_is_accounted_for_once' AS SUBJECT,
            (SELECT SUM(AMOUNT) FROM PLACED) AS FOUND_ROWS,
            (SELECT AMOUNT FROM RAW_ROWS) AS EXPECTED_ROWS
        UNION ALL
        SELECT
            'orders_are_the_latest_versions' AS SUBJECT,
            COUNT(*) AS FOUND_ROWS,
            COUNT(DISTINCT ORDER_ID) AS EXPECTED_ROWS
        FROM PRODUCTION.ORDERS
        WHERE UPDATED_AT >= DATEADD('day', -1, SYSDATE())
        UNION ALL
        SELECT
            'history_has_each_adjustment_once' AS SUBJECT,
            COUNT(*) AS FOUND_ROWS,
            COUNT(DISTINCT ADJUSTMENT_ID) AS EXPECTED_ROWS
        FROM PRODUCTION.INVENTORY_HISTORY
        WHERE UPDATED_AT >= DATEADD('day', -1, SYSDATE())
    ),

    FOUND AS (
        SELECT
            SUBJECT,
            'CRITICAL' AS SEVERITY,
            OBJECT_CONSTRUCT('rows', FOUND_ROWS, 'expected', EXPECTED_ROWS) AS DETAILS
        FROM COMPARED
        WHERE FOUND_ROWS <> EXPECTED_ROWS
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'BROKEN_INVARIANTS'
    )

    SELECT
        FOUND.SEVERITY,
        'BROKEN_INVARIANTS' AS ALERT_NAME,
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
