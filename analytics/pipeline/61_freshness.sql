-- How fresh is each table?
-- Why: the first look when a figure seems old.
-- Grain: one row per table of the pipeline.

SELECT
    LAYER,
    TABLE_NAME,
    ROW_COUNT,
    LAST_WRITTEN_AT,
    SECONDS_SINCE_WRITE
FROM ANALYTICS.PIPELINE_FRESHNESS
ORDER BY LAYER, TABLE_NAME;
