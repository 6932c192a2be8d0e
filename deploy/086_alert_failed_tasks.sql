-- Why: a task that fails leaves its rows waiting, and after ten failures in a row Snowflake suspends the graph.
-- Grain: one subject per task.
-- Reads/Writes: reads TASK_HISTORY; writes OPS.ALERT_LOG.
-- Rerun: safe; an alert holds no data, and 090 resumes it. What is open stays open.
--
-- Cost: a day of TASK_HISTORY, 10,000 runs at most; no table is read.
-- The condition finds what has changed since the last look, so that what lasts is written once: a subject without
-- an open row fires, an open row without a subject clears, another severity is written over the old one.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Without a WAREHOUSE it is serverless: billed by the second it computes, where a warehouse would never come to rest.
CREATE OR REPLACE ALERT OPS.ALERT_FAILED_TASKS
    SCHEDULE = '1 MINUTE'
    COMMENT = 'A task has failed and has not succeeded since'
IF (EXISTS (
    WITH RUNS AS (
        SELECT
            NAME,
            STATE,
            ERROR_MESSAGE,
            SCHEDULED_TIME,
            MAX(IFF(STATE = 'SUCCEEDED', SCHEDULED_TIME, NULL)) OVER (PARTITION BY NAME) AS SUCCEEDED_AT
        FROM TABLE(
            <% ctx.env.CAVES_DATABASE %>.INFORMATION_SCHEMA.TASK_HISTORY(
                SCHEDULED_TIME_RANGE_START => DATEADD('hour', -24, CURRENT_TIMESTAMP()),
                RESULT_LIMIT => 10000
            )
        )
        WHERE
            DATABASE_NAME = UPPER('<% ctx.env.CAVES_DATABASE %>')
            AND SCHEMA_NAME = 'RAW_DATA'
            AND STATE IN ('SUCCEEDED', 'FAILED', 'FAILED_AND_AUTO_SUSPENDED')
    ),

    FAILED AS (
        SELECT
            NAME,
            COUNT(*) AS FAILED_RUNS,
            BOOLOR_AGG(STATE = 'FAILED_AND_AUTO_SUSPENDED') AS IS_SUSPENDED,
            MAX_BY(ERROR_MESSAGE, SCHEDULED_TIME) AS LAST_ERROR
        FROM RUNS
        WHERE STATE <> 'SUCCEEDED' AND (SUCCEEDED_AT IS NULL OR SCHEDULED_TIME > SUCCEEDED_AT)
        GROUP BY NAME
    ),

    LIMITS AS (
        SELECT MAX(IFF(SETTING = 'FAILED_RUNS', THRESHOLD, NULL)) AS FAILED_RUNS
        FROM OPS.ALERT_SETTINGS
    ),

    FOUND AS (
        SELECT
            FAILED.NAME AS SUBJECT,
            IFF(FAILED.IS_SUSPENDED, 'CRITICAL', 'WARNING') AS SEVERITY,
            OBJECT_CONSTRUCT(
                'failed_runs', FAILED.FAILED_RUNS,
                'suspended', FAILED.IS_SUSPENDED,
                'last_error', FAILED.LAST_ERROR
            ) AS DETAILS
        FROM FAILED
        INNER JOIN LIMITS ON FAILED.FAILED_RUNS >= LIMITS.FAILED_RUNS
    ),

    OPEN_NOW AS (
        SELECT
            SUBJECT,
            SEVERITY
        FROM OPS.OPEN_ALERTS
        WHERE ALERT_NAME = 'FAILED_TASKS'
    )

    SELECT
        FOUND.SEVERITY,
        'FAILED_TASKS' AS ALERT_NAME,
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
