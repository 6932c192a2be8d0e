-- Why: the schemas by layer, and the stage for the procedures' code.
-- Grain: none.
-- Reads/Writes: <% ctx.env.CAVES_DATABASE %>, which deploy/account/010_account.sql has made.
-- Rerun: safe; changes nothing that is as it should be.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

ALTER DATABASE <% ctx.env.CAVES_DATABASE %> SET DATA_RETENTION_TIME_IN_DAYS = <% ctx.env.CAVES_TIME_TRAVEL_DAYS %>;

-- With managed access only the schema's owner grants anything in it, and may do so for what is yet to come.
-- CREATE SCHEMA makes the new schema the current one, so every name in deploy/ carries its schema.
CREATE SCHEMA IF NOT EXISTS RAW_DATA WITH MANAGED ACCESS
    COMMENT = 'Events as they came, and the streams and tasks that move them on';
CREATE SCHEMA IF NOT EXISTS STAGING WITH MANAGED ACCESS
    COMMENT = 'Typed events: accepted, rejected with reasons, or known duplicates';
CREATE SCHEMA IF NOT EXISTS PRODUCTION WITH MANAGED ACCESS
    COMMENT = 'What analysts, the dashboard and alerts read';
CREATE SCHEMA IF NOT EXISTS ANALYTICS WITH MANAGED ACCESS
    COMMENT = 'Views over PRODUCTION';
CREATE SCHEMA IF NOT EXISTS OPS WITH MANAGED ACCESS
    COMMENT = 'Stored procedures and their code';

-- For schemas of version 0.1, which had none.
ALTER SCHEMA RAW_DATA ENABLE MANAGED ACCESS;
ALTER SCHEMA STAGING ENABLE MANAGED ACCESS;
ALTER SCHEMA PRODUCTION ENABLE MANAGED ACCESS;
ALTER SCHEMA ANALYTICS ENABLE MANAGED ACCESS;
ALTER SCHEMA OPS ENABLE MANAGED ACCESS;

CREATE STAGE IF NOT EXISTS OPS.CODE_STAGE COMMENT = 'What snow snowpark deploy uploads';
