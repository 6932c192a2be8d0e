-- Why: remove everything that deploy/ made. Never run by `caves deploy`; type it by hand, with the switch
--      that snowflake.yml names:
--      snow sql -c NAME -f deploy/teardown/teardown.sql
-- Grain: none.
-- Reads/Writes: drops the database with all its data. The warehouse stays, for others may use it.
-- Rerun: safe.

ALTER TASK IF EXISTS <% ctx.env.CAVES_DATABASE %>.RAW_DATA.TASK_RAW_TO_STAGING_DISTRIBUTOR SUSPEND;

DROP DATABASE IF EXISTS <% ctx.env.CAVES_DATABASE %>;
