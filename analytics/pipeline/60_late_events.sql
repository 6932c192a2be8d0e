-- Which days were changed after they had ended?
-- Why: a report that was printed then is no longer true.
-- Grain: one row per day of processing and type of event, where any was late.

SELECT
    PROCESSED_DATE,
    DETAIL AS EVENT_TYPE,
    EVENT_COUNT,
    EVENT_SHARE
FROM ANALYTICS.DATA_QUALITY
WHERE QUALITY_ISSUE = 'LATE' AND EVENT_COUNT > 0
ORDER BY PROCESSED_DATE, EVENT_TYPE;
