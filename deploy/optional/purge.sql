-- Why: what OPS.RETENTION no longer keeps goes every night, when nobody works. Not part of `caves deploy`; once, and
--      again after a change (and with the switch that snowflake.yml names):
--      snow sql -c CONNECTION -f deploy/optional/purge.sql
-- Grain: one task of its own, outside the graph: it neither waits for the pipeline nor holds it up.
-- Reads/Writes: OPS.PURGE_EXPIRED; see it.
-- Rerun: safe at any moment; a purge that ran out of time goes on in the next one.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR REPLACE TASK OPS.TASK_PURGE_EXPIRED
    WAREHOUSE = <% ctx.env.CAVES_WAREHOUSE %>
    SCHEDULE = 'USING CRON 30 3 * * * Europe/Paris'
    COMMENT = 'Purges what OPS.RETENTION no longer keeps'
    AS
    CALL OPS.PURGE_EXPIRED();

ALTER TASK OPS.TASK_PURGE_EXPIRED RESUME;
