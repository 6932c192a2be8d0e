-- Why: when a shop begins to send events that the contract refuses, its orders are missing everywhere.
-- Grain: one subject, EVENTS.
-- Reads/Writes: reads STAGING; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: the rows of STAGING that are younger than a day: the tables grow in the order of these times.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_REJECTED_SHARE
    SCHEDULE = '1 MINUTE'
    COMMENT = 'Too many of the latest events were rejected and wait for a decision'
IF (EXISTS (
    WITH LIMITS AS (
        SELECT
            MAX(IFF(SETTING = 'REJECTED_PERCENT', THRESHOLD, NULL)) AS REJECTED_PERCENT,
            MAX(IFF(SETTING = 'REJECTED_EVENTS', THRESHOLD, NULL)) AS REJECTED_EVENTS,
            MAX(IFF(SETTING = 'REJECTED_MINUTES', THRESHOLD, NULL)) AS REJECTED_MINUTES
        FROM OPS.ALERT_SETTINGS
    ),

    JUDGED AS (
        SELECT
            STAGED_AT AS JUDGED_AT,
            0 AS IS_REJECTED
        FROM STAGING.STG_ORDERS
        WHERE STAGED_AT >= DATEADD('day', -1, SYSDATE())
        UNION ALL
        SELECT
            STAGED_AT AS JUDGED_AT,
            0 AS IS_REJECTED
        FROM STAGING.STG_INVENTORY_ADJUSTMENTS
        WHERE STAGED_AT >= DATEADD('day', -1, SYSDATE())
        UNION ALL
        SELECT
            DETECTED_AT AS JUDGED_AT,
            0 AS IS_REJECTED
        FROM STAGING.DUPLICATE_EVENTS
        WHERE DETECTED_AT >= DATEADD('day', -1, SYSDATE())
        UNION ALL
        SELECT
            REJECTED_AT AS JUDGED_AT,
            1 AS IS_REJECTED
        FROM STAGING.REJECTED_EVENTS
        WHERE REJECTED_AT >= DATEADD('day', -1, SYSDATE()) AND REPLAYED_AT IS NULL AND DISMISSED_AT IS NULL
    ),

    COUNTED AS (
        SELECT
            COUNT(*) AS EVENTS,
            SUM(JUDGED.IS_REJECTED) AS REJECTED
        FROM JUDGED
        INNER JOIN LIMITS ON DATEDIFF('second', JUDGED.JUDGED_AT, SYSDATE()) <= 60 * LIMITS.REJECTED_MINUTES
    ),

    FOUND AS (
        SELECT
            'EVENTS' AS SUBJECT,
            'WARNING' AS SEVERITY,
            OBJECT_CONSTRUCT(
                'events', COUNTED.EVENTS,
                'rejected', COUNTED.REJECTED,
                'threshold', LIMITS.REJECTED_PERCENT
            ) AS DETAILS
        FROM COUNTED
        INNER JOIN LIMITS
            ON
                COUNTED.REJECTED >= LIMITS.REJECTED_EVENTS
                AND 100 * COUNTED.REJECTED > LIMITS.REJECTED_PERCENT * COUNTED.EVENTS
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'REJECTED_SHARE'
    )

    SELECT
        FOUND.SEVERITY,
        'REJECTED_SHARE' AS ALERT_NAME,
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
