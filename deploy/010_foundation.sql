-- Why: the database, its schemas by layer, and the warehouse that the tasks run on.
-- Grain: none.
-- Reads/Writes: the account; creates <% ctx.env.CAVES_DATABASE %> and <% ctx.env.CAVES_WAREHOUSE %> where missing.
-- Rerun: safe; changes nothing that exists.

CREATE DATABASE IF NOT EXISTS <% ctx.env.CAVES_DATABASE %>
    COMMENT = 'Les Caves d''Albert: orders and stock movements, from raw events to production tables';

USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- CREATE SCHEMA makes the new schema the current one, so every name in deploy/ carries its schema.
CREATE SCHEMA IF NOT EXISTS RAW_DATA COMMENT = 'Events as they came, and the streams and tasks that move them on';
CREATE SCHEMA IF NOT EXISTS STAGING COMMENT = 'Typed events: accepted, rejected with reasons, or known duplicates';
CREATE SCHEMA IF NOT EXISTS PRODUCTION COMMENT = 'What analysts, the dashboard and alerts read';
CREATE SCHEMA IF NOT EXISTS ANALYTICS COMMENT = 'Views over PRODUCTION';
CREATE SCHEMA IF NOT EXISTS OPS COMMENT = 'Stored procedures and their code';

CREATE WAREHOUSE IF NOT EXISTS <% ctx.env.CAVES_WAREHOUSE %>
    WAREHOUSE_SIZE = 'XSMALL'
    AUTO_SUSPEND = 60
    AUTO_RESUME = TRUE
    INITIALLY_SUSPENDED = TRUE
    COMMENT = 'Runs the pipeline''s tasks';

CREATE STAGE IF NOT EXISTS OPS.CODE_STAGE COMMENT = 'What snow snowpark deploy uploads';
