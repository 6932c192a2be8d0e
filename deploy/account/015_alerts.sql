-- Why: what the alerts need of an administrator of the account; without it the pipeline runs and nobody watches it.
-- Grain: one environment.
-- Reads/Writes: the account, and future grants on <% ctx.env.CAVES_DATABASE %>.
-- Rerun: safe; changes nothing that is as it should be. `caves bootstrap` runs it after 010_account.sql.

USE ROLE ACCOUNTADMIN;

GRANT OWNERSHIP ON FUTURE ALERTS IN DATABASE <% ctx.env.CAVES_DATABASE %> TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;

-- The owner of an alert must hold these for it to run. Ours are serverless: hence MANAGED.
GRANT EXECUTE ALERT ON ACCOUNT TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;
GRANT EXECUTE MANAGED ALERT ON ACCOUNT TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;

-- An alert's action reads what its condition found by SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID.
GRANT DATABASE ROLE SNOWFLAKE.ALERT_VIEWER TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;
