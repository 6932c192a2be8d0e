-- Which optional fields do events leave empty?
-- Why: a report by channel is only as good as the channel.
-- Grain: one row per field of a staging table, emptiest first.

SELECT
    DETAIL AS FIELD_NAME,
    SUM(EVENT_COUNT) AS EMPTY_COUNT,
    SUM(BASE_COUNT) AS ROW_COUNT,
    (SUM(EVENT_COUNT) / NULLIF(SUM(BASE_COUNT), 0))::NUMBER(9, 6) AS EMPTY_SHARE
FROM ANALYTICS.DATA_QUALITY
WHERE QUALITY_ISSUE = 'NULL_FIELD'
GROUP BY DETAIL
ORDER BY EMPTY_SHARE DESC, FIELD_NAME ASC;
