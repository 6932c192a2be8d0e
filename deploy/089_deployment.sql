-- Why: which code is deployed, since when and by whom; `caves doctor` compares it with the code that is at hand.
-- Grain: one row a deployment.
-- Reads/Writes: writes OPS.DEPLOYMENTS.
-- Rerun: safe; every run adds a row.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR ALTER TABLE OPS.DEPLOYMENTS (
    CODE VARCHAR NOT NULL COMMENT 'fingerprint of procedures, library and SQL; by-hand where none was computed',
    DEPLOYED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC',
    DEPLOYED_BY VARCHAR NOT NULL COMMENT 'which user'
)
COMMENT = 'The deployments so far; the latest says which code runs';

INSERT INTO OPS.DEPLOYMENTS (CODE, DEPLOYED_AT, DEPLOYED_BY)
SELECT
    '<% ctx.env.CAVES_CODE %>' AS CODE,
    SYSDATE() AS DEPLOYED_AT,
    CURRENT_USER() AS DEPLOYED_BY;
