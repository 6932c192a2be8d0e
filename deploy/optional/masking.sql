-- Why: analysts count orders by place and day; where a customer lives is none of their business. Takes the Enterprise
--      edition. Not part of `caves deploy`; once (and with the switch that snowflake.yml names):
--      snow sql -c CONNECTION -f deploy/optional/masking.sql
-- Grain: one policy, on one column of each table that analysts and operators read.
-- Reads/Writes: creates OPS.ADDRESS_FOR_FEW and sets it. The role needs CREATE MASKING POLICY on the schema, which its
--      owner has; to set it on tables of its own it needs no more.
-- Rerun: safe; FORCE puts the policy in the place of one that is there.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- The procedures run as TRANSFORM and must see what they copy: a masked address would be merged into PRODUCTION.
CREATE MASKING POLICY IF NOT EXISTS OPS.ADDRESS_FOR_FEW AS (ADDRESS VARCHAR) RETURNS VARCHAR -> -- noqa: LT01
CASE
    WHEN IS_ROLE_IN_SESSION('<% ctx.env.CAVES_ROLES %>_ADMIN') THEN ADDRESS
    WHEN IS_ROLE_IN_SESSION('<% ctx.env.CAVES_ROLES %>_TRANSFORM') THEN ADDRESS
    WHEN ADDRESS IS NOT NULL THEN '(masked)'
END
COMMENT = 'Addresses, for the owner and the procedures alone';

ALTER TABLE PRODUCTION.ORDERS MODIFY COLUMN SHIPPING_ADDRESS SET MASKING POLICY OPS.ADDRESS_FOR_FEW FORCE;
ALTER TABLE STAGING.STG_ORDERS MODIFY COLUMN SHIPPING_ADDRESS SET MASKING POLICY OPS.ADDRESS_FOR_FEW FORCE;
