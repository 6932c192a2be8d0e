-- Why: a user for each service, that logs in with a key pair and has no password.
-- Grain: one environment. By hand, with the switch that snowflake.yml names and the public keys in the environment
--      (docs/deployment.md makes them; they are no secret): snow sql -c NAME -f deploy/account/020_service_users.sql
-- Reads/Writes: the account.
-- Rerun: safe; it sets the keys again, and so renews them too.

USE ROLE USERADMIN;

CREATE USER IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_INGEST_SERVICE
    TYPE = SERVICE
    DEFAULT_ROLE = <% ctx.env.CAVES_ROLES %>_INGEST
    DEFAULT_WAREHOUSE = <% ctx.env.CAVES_WAREHOUSE %>
    COMMENT = 'caves ingest, as a service';
ALTER USER <% ctx.env.CAVES_ROLES %>_INGEST_SERVICE SET RSA_PUBLIC_KEY = '<% ctx.env.CAVES_INGEST_PUBLIC_KEY %>';

CREATE USER IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_DEPLOY_SERVICE
    TYPE = SERVICE
    DEFAULT_ROLE = <% ctx.env.CAVES_ROLES %>_ADMIN
    DEFAULT_WAREHOUSE = <% ctx.env.CAVES_WAREHOUSE %>
    COMMENT = 'Continuous deployment: caves deploy';
ALTER USER <% ctx.env.CAVES_ROLES %>_DEPLOY_SERVICE SET RSA_PUBLIC_KEY = '<% ctx.env.CAVES_DEPLOY_PUBLIC_KEY %>';

CREATE USER IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_BI_SERVICE
    TYPE = SERVICE
    DEFAULT_ROLE = <% ctx.env.CAVES_ROLES %>_ANALYST
    DEFAULT_WAREHOUSE = <% ctx.env.CAVES_WAREHOUSE %>
    COMMENT = 'Reports and dashboards outside Snowflake';
ALTER USER <% ctx.env.CAVES_ROLES %>_BI_SERVICE SET RSA_PUBLIC_KEY = '<% ctx.env.CAVES_BI_PUBLIC_KEY %>';

-- Roles of the pipeline belong to ACCOUNTADMIN, who made them.
USE ROLE ACCOUNTADMIN;

GRANT ROLE <% ctx.env.CAVES_ROLES %>_INGEST TO USER <% ctx.env.CAVES_ROLES %>_INGEST_SERVICE;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_ADMIN TO USER <% ctx.env.CAVES_ROLES %>_DEPLOY_SERVICE;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_ANALYST TO USER <% ctx.env.CAVES_ROLES %>_BI_SERVICE;
