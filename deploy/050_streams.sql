-- Why: what has arrived and is not yet processed, for each of the four steps. It moves on only when a step commits.
-- Grain: one row per new row of the table below.
-- Reads/Writes: read by the four task procedures.
-- Rerun: safe; a stream is created once. Replacing it would lose every row that is waiting in it.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

-- Events that lie in the table already when the pipeline is first deployed are not in a new stream. To have them taken
-- up, create this stream by hand before the first deploy, with SHOW_INITIAL_ROWS = TRUE. It is not the default: on an
-- empty table the first read of such a stream gives nothing, and the pipeline would idle a tick.
CREATE STREAM IF NOT EXISTS RAW_DATA.STREAM_RAW_EVENTS
    ON TABLE RAW_DATA.RAW_EVENTS_STREAM
    APPEND_ONLY = TRUE
    COMMENT = 'Raw events that OPS.DISTRIBUTE_RAW_EVENTS has not seen';

-- The tables below are only ever inserted into. Append-only streams are cheaper, and a later clean-up of old staging
-- rows is no change that production should follow.
CREATE STREAM IF NOT EXISTS RAW_DATA.STREAM_STG_ORDERS
    ON TABLE STAGING.STG_ORDERS
    APPEND_ONLY = TRUE
    COMMENT = 'Staged orders that OPS.MERGE_ORDERS has not seen';

CREATE STREAM IF NOT EXISTS RAW_DATA.STREAM_STG_INVENTORY_FOR_HISTORY
    ON TABLE STAGING.STG_INVENTORY_ADJUSTMENTS
    APPEND_ONLY = TRUE
    COMMENT = 'Staged movements that OPS.APPEND_INVENTORY_HISTORY has not seen';

CREATE STREAM IF NOT EXISTS RAW_DATA.STREAM_STG_INVENTORY_FOR_CURRENT
    ON TABLE STAGING.STG_INVENTORY_ADJUSTMENTS
    APPEND_ONLY = TRUE
    COMMENT = 'Staged movements that OPS.MERGE_INVENTORY_CURRENT has not seen';
