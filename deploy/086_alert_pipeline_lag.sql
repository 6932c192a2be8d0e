-- Why: rows that wait are orders and stock that nobody sees; an ingestor that is silent may be dead.
-- Grain: one subject per stream with old rows, and one, INGESTOR, for silence.
-- Reads/Writes: reads the four streams (which consumes nothing) and RAW_DATA.KAFKA_OFFSETS; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: the rows that wait, and one row per Kafka partition. An empty stream costs next to nothing.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_PIPELINE_LAG
    SCHEDULE = '1 MINUTE'
    COMMENT = 'Rows wait too long in a stream, or the ingestor is silent'
IF (EXISTS (
    WITH LIMITS AS (
        SELECT
            MAX(IFF(SETTING = 'WAITING_MINUTES', THRESHOLD, NULL)) AS WAITING_MINUTES,
            MAX(IFF(SETTING = 'SILENT_MINUTES', THRESHOLD, NULL)) AS SILENT_MINUTES
        FROM OPS.ALERT_SETTINGS
    ),

    WAITING AS (
        SELECT
            'STREAM_RAW_EVENTS' AS SUBJECT,
            COUNT(*) AS ROWS_WAITING,
            MIN(CONVERT_TIMEZONE('UTC', INGESTION_TIME)::TIMESTAMP_NTZ) AS SINCE
        FROM RAW_DATA.STREAM_RAW_EVENTS
        UNION ALL
        SELECT
            'STREAM_STG_ORDERS' AS SUBJECT,
            COUNT(*) AS ROWS_WAITING,
            MIN(STAGED_AT) AS SINCE
        FROM RAW_DATA.STREAM_STG_ORDERS
        UNION ALL
        SELECT
            'STREAM_STG_INVENTORY_FOR_HISTORY' AS SUBJECT,
            COUNT(*) AS ROWS_WAITING,
            MIN(STAGED_AT) AS SINCE
        FROM RAW_DATA.STREAM_STG_INVENTORY_FOR_HISTORY
        UNION ALL
        SELECT
            'STREAM_STG_INVENTORY_FOR_CURRENT' AS SUBJECT,
            COUNT(*) AS ROWS_WAITING,
            MIN(STAGED_AT) AS SINCE
        FROM RAW_DATA.STREAM_STG_INVENTORY_FOR_CURRENT
    ),

    FOUND AS (
        SELECT
            WAITING.SUBJECT,
            'CRITICAL' AS SEVERITY,
            OBJECT_CONSTRUCT(
                'rows', WAITING.ROWS_WAITING,
                'since', WAITING.SINCE::VARCHAR,
                'threshold', LIMITS.WAITING_MINUTES
            ) AS DETAILS
        FROM WAITING
        INNER JOIN LIMITS ON DATEDIFF('second', WAITING.SINCE, SYSDATE()) > 60 * LIMITS.WAITING_MINUTES
        UNION ALL
        SELECT
            'INGESTOR' AS SUBJECT,
            'WARNING' AS SEVERITY,
            OBJECT_CONSTRUCT('since', LOADED.LATEST::VARCHAR, 'threshold', LIMITS.SILENT_MINUTES) AS DETAILS
        FROM (SELECT MAX(UPDATED_AT) AS LATEST FROM RAW_DATA.KAFKA_OFFSETS) AS LOADED
        INNER JOIN LIMITS ON DATEDIFF('second', LOADED.LATEST, SYSDATE()) > 60 * LIMITS.SILENT_MINUTES
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'PIPELINE_LAG'
    )

    SELECT
        FOUND.SEVERITY,
        'PIPELINE_LAG' AS ALERT_NAME,
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
