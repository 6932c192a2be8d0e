-- Why: what only an administrator of the account may do: roles, who may run tasks, the database and the warehouse.
-- Grain: one environment. Its roles carry its name, so that two of them on one account do not touch each other.
-- Reads/Writes: the account. Everything after it is done by <% ctx.env.CAVES_ROLES %>_ADMIN, without ACCOUNTADMIN.
-- Rerun: safe; changes nothing that is as it should be. `caves bootstrap -c NAME --env ENVIRONMENT` runs it.

USE ROLE ACCOUNTADMIN;

CREATE ROLE IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_ADMIN COMMENT = 'Owns and deploys the pipeline';
CREATE ROLE IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_INGEST COMMENT = 'Loads events and their Kafka offsets, no more';
CREATE ROLE IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_TRANSFORM COMMENT = 'Runs the tasks, procedures and alerts';
CREATE ROLE IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_ANALYST COMMENT = 'Reads PRODUCTION and ANALYTICS';
CREATE ROLE IF NOT EXISTS <% ctx.env.CAVES_ROLES %>_OPERATOR COMMENT = 'Sees OPS; suspends, resumes and replays';

-- The owner holds what the others hold, so that nothing is out of its reach; SYSADMIN, as is the custom, holds all.
GRANT ROLE <% ctx.env.CAVES_ROLES %>_INGEST TO ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM TO ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_ANALYST TO ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_OPERATOR TO ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
GRANT ROLE <% ctx.env.CAVES_ROLES %>_ADMIN TO ROLE SYSADMIN;

CREATE WAREHOUSE IF NOT EXISTS <% ctx.env.CAVES_WAREHOUSE %>
    WAREHOUSE_SIZE = 'XSMALL'
    AUTO_SUSPEND = 60
    AUTO_RESUME = TRUE
    INITIALLY_SUSPENDED = TRUE
    COMMENT = 'Runs the pipeline''s tasks';

GRANT USAGE ON WAREHOUSE <% ctx.env.CAVES_WAREHOUSE %> TO ROLE <% ctx.env.CAVES_ROLES %>_INGEST;
GRANT USAGE ON WAREHOUSE <% ctx.env.CAVES_WAREHOUSE %> TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;
GRANT USAGE ON WAREHOUSE <% ctx.env.CAVES_WAREHOUSE %> TO ROLE <% ctx.env.CAVES_ROLES %>_ANALYST;
GRANT USAGE ON WAREHOUSE <% ctx.env.CAVES_WAREHOUSE %> TO ROLE <% ctx.env.CAVES_ROLES %>_OPERATOR;

CREATE DATABASE IF NOT EXISTS <% ctx.env.CAVES_DATABASE %>
    COMMENT = 'Les Caves d''Albert: orders and stock movements, from raw events to production tables';

GRANT OWNERSHIP ON DATABASE <% ctx.env.CAVES_DATABASE %> TO ROLE <% ctx.env.CAVES_ROLES %>_ADMIN COPY CURRENT GRANTS;

-- What runs belongs to the role that runs it from the moment it is created: a procedure has its owner's rights, and so
-- no more than the pipeline needs. A future grant for a whole database takes MANAGE GRANTS, which is why it is here.
GRANT OWNERSHIP ON FUTURE PROCEDURES IN DATABASE <% ctx.env.CAVES_DATABASE %>
    TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;
GRANT OWNERSHIP ON FUTURE TASKS IN DATABASE <% ctx.env.CAVES_DATABASE %>
    TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;

-- The owner of a task must hold this for it to run.
GRANT EXECUTE TASK ON ACCOUNT TO ROLE <% ctx.env.CAVES_ROLES %>_TRANSFORM;
