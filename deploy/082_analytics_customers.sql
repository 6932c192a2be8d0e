-- Why: who buys, how lately, how often and for how much; what people buy in one go.
-- Grain: CUSTOMERS by CUSTOMER_ID; BASKET_STATISTICS by ORDER_DATE.
-- Reads/Writes: reads PRODUCTION.
-- Rerun: safe; views hold no data, and COPY GRANTS keeps who may read them.
--
-- A basket is what one customer ordered on one business date. The events name order lines and no order that holds
-- them together, so two purchases of a customer on one day count as one basket.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE OR REPLACE VIEW ANALYTICS.CUSTOMERS (
    CUSTOMER_ID COMMENT 'The customer',
    FIRST_ORDER_DATE COMMENT 'Business date of the first order',
    LAST_ORDER_DATE COMMENT 'Business date of the latest order',
    ORDER_COUNT COMMENT 'Order lines',
    BASKET_COUNT COMMENT 'Frequency: business dates with an order',
    BOTTLES_BOUGHT COMMENT 'Sum of QUANTITY',
    LIFETIME_VALUE COMMENT 'Monetary: sum of TOTAL_AMOUNT so far, euros and cents; no forecast',
    AVG_BASKET_VALUE COMMENT 'Lifetime value per basket, to the cent',
    AS_OF_DATE COMMENT 'The latest business date with an order that is not in the future; recency counts from it',
    RECENCY_DAYS COMMENT 'Days from the latest order to AS_OF_DATE',
    RECENCY_SCORE COMMENT '5 for the fifth that bought last, down to 1; equal values score equally',
    FREQUENCY_SCORE COMMENT '5 for the fifth with most baskets, down to 1; equal values score equally',
    MONETARY_SCORE COMMENT '5 for the fifth with most lifetime value, down to 1; equal values score equally',
    RFM_SCORE COMMENT 'The three scores as text, for example 545',
    SEGMENT COMMENT 'CHAMPION, LOYAL, NEW, PROMISING, AT_RISK or HIBERNATING; see docs/analytics.md'
)
COPY GRANTS
COMMENT = 'One row per customer, with recency, frequency and monetary value. Grain: CUSTOMER_ID'
AS
WITH BUYERS AS (
    SELECT
        CUSTOMER_ID,
        MIN(ORDER_DATE) AS FIRST_ORDER_DATE,
        MAX(ORDER_DATE) AS LAST_ORDER_DATE,
        COUNT(*) AS ORDER_COUNT,
        COUNT(DISTINCT ORDER_DATE) AS BASKET_COUNT,
        SUM(QUANTITY) AS BOTTLES_BOUGHT,
        SUM(TOTAL_AMOUNT) AS LIFETIME_VALUE
    FROM PRODUCTION.ORDERS
    GROUP BY CUSTOMER_ID
),

-- Not today: while nothing arrives, everybody would slowly become a lost customer.
AS_OF AS (
    SELECT COALESCE(MAX(ORDER_DATE), CONVERT_TIMEZONE('UTC', 'Europe/Paris', SYSDATE())::DATE) AS AS_OF_DATE
    FROM PRODUCTION.ORDERS
    WHERE ORDER_DATE <= CONVERT_TIMEZONE('UTC', 'Europe/Paris', SYSDATE())::DATE
),

MEASURED AS (
    SELECT
        BUYERS.CUSTOMER_ID,
        BUYERS.FIRST_ORDER_DATE,
        BUYERS.LAST_ORDER_DATE,
        BUYERS.ORDER_COUNT,
        BUYERS.BASKET_COUNT,
        BUYERS.BOTTLES_BOUGHT,
        BUYERS.LIFETIME_VALUE,
        AS_OF.AS_OF_DATE,
        GREATEST(DATEDIFF('DAY', BUYERS.LAST_ORDER_DATE, AS_OF.AS_OF_DATE), 0) AS RECENCY_DAYS
    FROM BUYERS
    CROSS JOIN AS_OF
),

-- RANK - 1 is how many are worse. Not NTILE, which would part customers with equal values.
SCORED AS (
    SELECT
        CUSTOMER_ID,
        FIRST_ORDER_DATE,
        LAST_ORDER_DATE,
        ORDER_COUNT,
        BASKET_COUNT,
        BOTTLES_BOUGHT,
        LIFETIME_VALUE,
        AS_OF_DATE,
        RECENCY_DAYS,
        1 + FLOOR((RANK() OVER (ORDER BY RECENCY_DAYS DESC) - 1) * 5 / COUNT(*) OVER ()) AS RECENCY_SCORE,
        1 + FLOOR((RANK() OVER (ORDER BY BASKET_COUNT ASC) - 1) * 5 / COUNT(*) OVER ()) AS FREQUENCY_SCORE,
        1 + FLOOR((RANK() OVER (ORDER BY LIFETIME_VALUE ASC) - 1) * 5 / COUNT(*) OVER ()) AS MONETARY_SCORE
    FROM MEASURED
)

SELECT
    CUSTOMER_ID,
    FIRST_ORDER_DATE,
    LAST_ORDER_DATE,
    ORDER_COUNT,
    BASKET_COUNT,
    BOTTLES_BOUGHT,
    LIFETIME_VALUE,
    (LIFETIME_VALUE / BASKET_COUNT)::NUMBER(18, 2) AS AVG_BASKET_VALUE,
    AS_OF_DATE,
    RECENCY_DAYS,
    RECENCY_SCORE::NUMBER(1, 0) AS RECENCY_SCORE,
    FREQUENCY_SCORE::NUMBER(1, 0) AS FREQUENCY_SCORE,
    MONETARY_SCORE::NUMBER(1, 0) AS MONETARY_SCORE,
    CONCAT(
        RECENCY_SCORE::NUMBER(1, 0)::VARCHAR,
        FREQUENCY_SCORE::NUMBER(1, 0)::VARCHAR,
        MONETARY_SCORE::NUMBER(1, 0)::VARCHAR
    ) AS RFM_SCORE,
    CASE
        WHEN RECENCY_SCORE >= 4 AND FREQUENCY_SCORE >= 4 AND MONETARY_SCORE >= 4 THEN 'CHAMPION'
        WHEN RECENCY_SCORE >= 3 AND FREQUENCY_SCORE >= 3 THEN 'LOYAL'
        WHEN RECENCY_SCORE >= 3 AND BASKET_COUNT = 1 THEN 'NEW'
        WHEN RECENCY_SCORE >= 3 THEN 'PROMISING'
        WHEN FREQUENCY_SCORE >= 3 THEN 'AT_RISK'
        ELSE 'HIBERNATING'
    END AS SEGMENT
FROM SCORED;

CREATE OR REPLACE VIEW ANALYTICS.BASKET_STATISTICS (
    ORDER_DATE COMMENT 'Business date: the day in Europe/Paris',
    BASKET_COUNT COMMENT 'Customers who ordered on that day',
    REVENUE COMMENT 'Sum of TOTAL_AMOUNT, euros and cents',
    AVG_BASKET_VALUE COMMENT 'Revenue per basket, to the cent',
    MEDIAN_BASKET_VALUE COMMENT 'Half of the baskets are worth more, half less, to the cent',
    LARGEST_BASKET_VALUE COMMENT 'Euros and cents',
    AVG_LINES COMMENT 'Order lines per basket',
    AVG_BOTTLES COMMENT 'Bottles per basket',
    MULTI_LINE_SHARE COMMENT 'Share of baskets with more than one line, 0 to 1'
)
COPY GRANTS
COMMENT = 'Baskets by day; a basket is what one customer ordered on one business date. Grain: ORDER_DATE'
AS
WITH BASKETS AS (
    SELECT
        ORDER_DATE,
        CUSTOMER_ID,
        COUNT(*) AS LINES,
        SUM(QUANTITY) AS BOTTLES,
        SUM(TOTAL_AMOUNT) AS BASKET_VALUE
    FROM PRODUCTION.ORDERS
    GROUP BY ORDER_DATE, CUSTOMER_ID
)

SELECT
    ORDER_DATE,
    COUNT(*) AS BASKET_COUNT,
    SUM(BASKET_VALUE) AS REVENUE,
    AVG(BASKET_VALUE)::NUMBER(18, 2) AS AVG_BASKET_VALUE,
    MEDIAN(BASKET_VALUE)::NUMBER(18, 2) AS MEDIAN_BASKET_VALUE,
    MAX(BASKET_VALUE) AS LARGEST_BASKET_VALUE,
    AVG(LINES)::NUMBER(18, 3) AS AVG_LINES,
    AVG(BOTTLES)::NUMBER(18, 3) AS AVG_BOTTLES,
    (COUNT_IF(LINES > 1) / COUNT(*))::NUMBER(9, 6) AS MULTI_LINE_SHARE
FROM BASKETS
GROUP BY ORDER_DATE;
