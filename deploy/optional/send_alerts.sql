-- Why: tell somebody of alerts, by mail, webhook or queue, through a notification integration of yours. Not part of
--      `caves deploy`; once, and again after a change, by someone who may use the integration
--      (and with the switch that snowflake.yml names):
--      CAVES_NOTIFICATION_INTEGRATION=NAME snow sql -c CONNECTION -f deploy/optional/send_alerts.sql
-- Grain: one message a minute at most, of all that fired or cleared since the last.
-- Reads/Writes: reads and marks OPS.ALERT_LOG.
-- Rerun: safe; what was sent is not sent again.

USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- What was over long before there was anyone to tell is no news.
UPDATE OPS.ALERT_LOG
SET
    FIRING_SENT_AT = SYSDATE(),
    CLEARING_SENT_AT = SYSDATE()
WHERE CLEARED_AT < DATEADD('hour', -1, SYSDATE()) AND CLEARING_SENT_AT IS NULL;

CREATE OR REPLACE ALERT OPS.ALERT_SENDER
    SCHEDULE = '1 MINUTE'
    COMMENT = 'Sends what ALERT_LOG has that nobody was told'
IF (EXISTS (
    SELECT 1
    FROM OPS.ALERT_LOG
    WHERE FIRING_SENT_AT IS NULL OR (CLEARED_AT IS NOT NULL AND CLEARING_SENT_AT IS NULL)
))
THEN
    CALL OPS.SEND_ALERTS('<% ctx.env.CAVES_NOTIFICATION_INTEGRATION %>');

ALTER ALERT OPS.ALERT_SENDER RESUME;
