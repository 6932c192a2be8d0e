-- Why: a crash, a retry, a redelivery, a redeploy or a rerun changes none of the above: no event is staged twice, and
--      what was set aside as a duplicate really repeats an event that is staged.
-- Grain: one row per event that is staged twice, or set aside although it is nowhere else.
-- Reads/Writes: reads STAGING.
-- Rerun: safe; a row in the answer is a fault.

WITH ROWS_STAGED AS (
    SELECT
        'ORDER_CREATED' AS EVENT_TYPE,
        ORDER_ID AS EVENT_KEY,
        CONTENT_HASH
    FROM STAGING.STG_ORDERS
    UNION ALL
    SELECT
        'ORDER_CREATED' AS EVENT_TYPE,
        ORDER_ID AS EVENT_KEY,
        CONTENT_HASH
    FROM STAGING.PURGED_ORDERS
    UNION ALL
    SELECT
        'INVENTORY_ADJUSTED' AS EVENT_TYPE,
        ADJUSTMENT_ID AS EVENT_KEY,
        CONTENT_HASH
    FROM STAGING.STG_INVENTORY_ADJUSTMENTS
    UNION ALL
    SELECT
        'INVENTORY_ADJUSTED' AS EVENT_TYPE,
        ADJUSTMENT_ID AS EVENT_KEY,
        CONTENT_HASH
    FROM STAGING.PURGED_ADJUSTMENTS
),

STAGED AS (
    SELECT
        EVENT_TYPE,
        EVENT_KEY,
        CONTENT_HASH,
        COUNT(*) AS TIMES
    FROM ROWS_STAGED
    GROUP BY EVENT_TYPE, EVENT_KEY, CONTENT_HASH
)

SELECT
    CONCAT_WS('/', EVENT_TYPE, EVENT_KEY) AS OFFENDER,
    CONCAT('is staged ', TIMES::VARCHAR, ' times with the same content') AS PROBLEM
FROM STAGED
WHERE TIMES > 1
UNION ALL
SELECT
    CONCAT_WS('/', ASIDE.EVENT_TYPE, ASIDE.EVENT_KEY) AS OFFENDER,
    'was set aside as a duplicate, and no staged event has its content' AS PROBLEM
FROM STAGING.DUPLICATE_EVENTS AS ASIDE
LEFT JOIN STAGED
    ON
        ASIDE.EVENT_TYPE = STAGED.EVENT_TYPE
        AND ASIDE.EVENT_KEY = STAGED.EVENT_KEY
        AND ASIDE.CONTENT_HASH = STAGED.CONTENT_HASH
WHERE STAGED.EVENT_KEY IS NULL
ORDER BY OFFENDER
