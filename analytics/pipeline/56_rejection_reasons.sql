-- Why are events refused?
-- Why: the first reason is the first thing to mend at the shop's end.
-- Grain: one row per reason code, most frequent first; an event with two reasons is in both.

SELECT
    DETAIL AS REASON_CODE,
    SUM(EVENT_COUNT) AS EVENT_COUNT
FROM ANALYTICS.DATA_QUALITY
WHERE QUALITY_ISSUE = 'REJECTED_FOR'
GROUP BY DETAIL
ORDER BY EVENT_COUNT DESC, REASON_CODE ASC;
