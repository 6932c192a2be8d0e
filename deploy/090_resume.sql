-- Why: tasks are created suspended. Children first, root last: a graph whose root runs cannot be changed.
-- Grain: none.
-- Reads/Writes: the four tasks.
-- Rerun: safe after 070, which suspends the root.

USE DATABASE <% ctx.env.CAVES_DATABASE %>;

ALTER TASK RAW_DATA.TASK_STAGING_TO_PROD_ORDERS RESUME;
ALTER TASK RAW_DATA.TASK_STAGING_TO_PROD_INVENTORY_HISTORY RESUME;
ALTER TASK RAW_DATA.TASK_STAGING_TO_PROD_INVENTORY_CURRENT RESUME;
ALTER TASK RAW_DATA.TASK_RAW_TO_STAGING_DISTRIBUTOR RESUME;
