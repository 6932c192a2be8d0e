-- How many events come more than once?
-- Why: they do no harm here, and tell of retries at the sender.
-- Grain: one row per day with a repeat.

SELECT
    PROCESSED_DATE,
    EVENT_COUNT,
    EVENT_SHARE
FROM ANALYTICS.DATA_QUALITY
WHERE QUALITY_ISSUE = 'DUPLICATE'
ORDER BY PROCESSED_DATE;
