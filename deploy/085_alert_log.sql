-- Why: what the alerts have found, when it began and when it was over; and the thresholds that they go by.
-- Grain: ALERT_LOG by ALERT_NAME, SUBJECT and FIRED_AT, at most one of a subject open; ALERT_SETTINGS by SETTING.
-- Reads/Writes: the alerts write ALERT_LOG; operators write ALERT_SETTINGS.
-- Rerun: safe; nothing is replaced, and a threshold that an operator has set stays.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE OPS.ALERT_LOG (
    ALERT_NAME VARCHAR NOT NULL COMMENT 'the alert without its ALERT_: LOW_STOCK, PIPELINE_LAG, ...',
    SUBJECT VARCHAR NOT NULL COMMENT 'what it is about: a product and a place, a stream, a task, an invariant',
    SEVERITY VARCHAR NOT NULL COMMENT 'WARNING or CRITICAL; a change while it is open is written over it',
    DETAILS VARIANT COMMENT 'what was found, and the threshold',
    FIRED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when it was first found, UTC',
    CLEARED_AT TIMESTAMP_NTZ COMMENT 'when it was no longer found, UTC; null while it is open',
    FIRING_SENT_AT TIMESTAMP_NTZ COMMENT 'when somebody was told that it fired, UTC',
    CLEARING_SENT_AT TIMESTAMP_NTZ COMMENT 'when somebody was told that it is over, UTC'
)
COMMENT = 'The journal of the alerts: one row from firing to clearing, however long that takes';

CREATE OR REPLACE VIEW OPS.OPEN_ALERTS (
    ALERT_NAME COMMENT 'The alert without its ALERT_',
    SUBJECT COMMENT 'What it is about',
    SEVERITY COMMENT 'WARNING or CRITICAL',
    DETAILS COMMENT 'What was found, and the threshold',
    FIRED_AT COMMENT 'When it was first found, UTC'
)
COPY GRANTS
COMMENT = 'What the alerts have found and is not over. Grain: ALERT_NAME, SUBJECT'
AS
SELECT
    ALERT_NAME,
    SUBJECT,
    SEVERITY,
    DETAILS,
    FIRED_AT
FROM OPS.ALERT_LOG
WHERE CLEARED_AT IS NULL;

CREATE OR ALTER TABLE OPS.ALERT_SETTINGS (
    SETTING VARCHAR NOT NULL COMMENT 'which threshold',
    THRESHOLD NUMBER(12, 2) COMMENT 'its value; null switches the check off',
    UNIT VARCHAR NOT NULL COMMENT 'what the value counts',
    MEANING VARCHAR NOT NULL COMMENT 'what it decides'
)
COMMENT = 'Thresholds of the alerts; an UPDATE takes effect at the next look';

MERGE INTO OPS.ALERT_SETTINGS AS KEPT
USING (
    SELECT
        COLUMN1 AS SETTING,
        COLUMN2 AS THRESHOLD,
        COLUMN3 AS UNIT,
        COLUMN4 AS MEANING
    FROM
        VALUES
        ('LOW_STOCK_BOTTLES', 6, 'bottles', 'LOW_STOCK: a product with fewer than this in a place; CRITICAL at none'),
        ('WAITING_MINUTES', 5, 'minutes', 'PIPELINE_LAG: rows that wait longer than this in a stream'),
        ('SILENT_MINUTES', 15, 'minutes', 'PIPELINE_LAG: the ingestor has loaded nothing for longer than this'),
        ('FAILED_RUNS', 1, 'runs', 'FAILED_TASKS: a task that failed this often since it last succeeded'),
        ('REJECTED_PERCENT', 10, 'percent', 'REJECTED_SHARE: more than this of the events was rejected'),
        ('REJECTED_EVENTS', 10, 'events', 'REJECTED_SHARE: and no fewer than this'),
        ('REJECTED_MINUTES', 60, 'minutes', 'REJECTED_SHARE: among the events judged in this time, a day at most')
) AS DEFAULTS
    ON KEPT.SETTING = DEFAULTS.SETTING
WHEN NOT MATCHED THEN INSERT (SETTING, THRESHOLD, UNIT, MEANING)
VALUES (DEFAULTS.SETTING, DEFAULTS.THRESHOLD, DEFAULTS.UNIT, DEFAULTS.MEANING);
