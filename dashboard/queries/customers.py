"""Who buys: new and returning customers, RFM segments, cohorts."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from datetime import date
from typing import Final

import pandas as pd
from snowflake.snowpark import Column, DataFrame, Session, Window
from snowflake.snowpark import functions as F

from caves_snowpark.schemas import DATE, INTEGER
from dashboard.filters import Filters
from dashboard.queries.shared import MOST_LINES, comparable, frame, orders_of

MOST_COHORTS: Final = 12
COHORT_WEEKS_UP_TO: Final = 120
# Scores of RFM: fifths.
FIFTHS: Final = 5
_SCORED: Final = (
    *("CUSTOMER_ID", "SEGMENT", "RECENCY", "FREQUENCY", "MONETARY"),
    *("BASKETS", "REVENUE", "LAST_ORDER", "DAYS_SINCE"),
)
_TOTALS: Final = ("CUSTOMERS", "BASKETS", "REVENUE", "DAYS_SINCE")


def customer_totals(session: Session, filters: Filters) -> pd.DataFrame:
    """Customers of the period (NOW true) and of the one before, and what they spent: at most two lines.

    NEW are those whose very first order is in it; REPEATED ordered on more than one day of it.
    """
    orders = comparable(orders_of(session, filters, start=filters.before), filters)
    now = F.col("ORDER_DATE") >= F.lit(filters.start)
    people = (
        _baskets(orders)
        .group_by(now.alias("NOW"), "CUSTOMER_ID")
        .agg(F.count(F.lit(1)).alias("BASKETS"), F.sum("REVENUE").alias("REVENUE"))
    )
    start = F.when(F.col("NOW"), F.lit(filters.start)).otherwise(F.lit(filters.before))
    return frame(
        people.join(_first_days(session, filters), "CUSTOMER_ID")
        .group_by("NOW")
        .agg(
            F.count(F.lit(1)).alias("CUSTOMERS"),
            F.sum(F.when(F.col("FIRST_DAY") >= start, F.lit(1)).otherwise(F.lit(0))).alias("NEW"),
            F.sum(F.when(F.col("BASKETS") > 1, F.lit(1)).otherwise(F.lit(0))).alias("REPEATED"),
            F.sum("BASKETS").alias("BASKETS"),
            F.sum("REVENUE").alias("REVENUE"),
        )
    )


def scored_customers(session: Session, filters: Filters) -> pd.DataFrame:
    """Those who spent most in the period, and of each RFM segment the best: each with what its segment is.

    One question for `segments` and `best_customers`, because scoring everybody is what takes long. PLACE is
    that among all, PLACE_IN_SEGMENT within the segment: at most 56 lines.
    """
    segment, best = Window.partition_by("SEGMENT"), (F.col("REVENUE").desc(), F.col("CUSTOMER_ID"))
    lines = _scored(session, filters).select(
        *_SCORED,
        F.count(F.lit(1)).over(segment).alias("SEGMENT_CUSTOMERS"),
        F.sum("BASKETS").over(segment).alias("SEGMENT_BASKETS"),
        F.sum("REVENUE").over(segment).alias("SEGMENT_REVENUE"),
        F.avg("DAYS_SINCE").over(segment).alias("SEGMENT_DAYS_SINCE"),
        F.row_number().over(Window.order_by(*best)).alias("PLACE"),
        F.row_number().over(segment.order_by(*best)).alias("PLACE_IN_SEGMENT"),
    )
    shown = (F.col("PLACE") <= F.lit(MOST_LINES)) | (F.col("PLACE_IN_SEGMENT") == F.lit(1))
    return frame(lines.filter(shown).sort("PLACE"))


def segments(scored: pd.DataFrame) -> pd.DataFrame:
    """Customers, baskets and revenue of each segment, and how long ago they bought: at most six lines."""
    first = scored[scored["PLACE_IN_SEGMENT"] == 1]
    totals = first[["SEGMENT", *(f"SEGMENT_{name}" for name in _TOTALS)]]
    named: pd.DataFrame = totals.rename(columns={f"SEGMENT_{name}": name for name in _TOTALS})
    return named.sort_values("REVENUE", ascending=False, ignore_index=True)


def best_customers(scored: pd.DataFrame) -> pd.DataFrame:
    """The customers who spent most, with their scores and segment."""
    best: pd.DataFrame = scored[scored["PLACE"] <= MOST_LINES]
    return best[list(_SCORED)].reset_index(drop=True)


def _scored(session: Session, filters: Filters) -> DataFrame:
    """One line per customer of the period, scored and put into a segment by the rules of CUSTOMERS.

    The view knows no period, so its rules stand here a second time: with all of history they agree.
    """
    people = (
        _baskets(orders_of(session, filters))
        .group_by("CUSTOMER_ID")
        .agg(
            F.count(F.lit(1)).alias("BASKETS"),
            F.sum("REVENUE").alias("REVENUE"),
            F.max("ORDER_DATE").alias("LAST_ORDER"),
        )
    )
    scored = people.select(
        *("CUSTOMER_ID", "BASKETS", "REVENUE", "LAST_ORDER"),
        F.datediff("day", F.col("LAST_ORDER"), F.lit(filters.end)).alias("DAYS_SINCE"),
        _fifth("LAST_ORDER").alias("RECENCY"),
        _fifth("BASKETS").alias("FREQUENCY"),
        _fifth("REVENUE").alias("MONETARY"),
    )
    recency, frequency, monetary = F.col("RECENCY"), F.col("FREQUENCY"), F.col("MONETARY")
    segment = (
        F.when((recency >= 4) & (frequency >= 4) & (monetary >= 4), F.lit("CHAMPION"))
        .when((recency >= 3) & (frequency >= 3), F.lit("LOYAL"))
        .when((recency >= 3) & (F.col("BASKETS") == 1), F.lit("NEW"))
        .when(recency >= 3, F.lit("PROMISING"))
        .when(frequency >= 3, F.lit("AT_RISK"))
        .otherwise(F.lit("HIBERNATING"))
    )
    columns = ("DAYS_SINCE", "RECENCY", "FREQUENCY", "MONETARY")
    return scored.select(
        "CUSTOMER_ID", "BASKETS", "REVENUE", "LAST_ORDER", *columns, segment.alias("SEGMENT")
    )


def _fifth(column: str) -> Column:
    """5 for the fifth with most, down to 1; equal values score equally."""
    worse = F.rank().over(Window.order_by(column)) - F.lit(1)
    everybody = F.count(F.lit(1)).over(Window.partition_by(F.lit(1)))
    return (F.floor(worse * F.lit(FIFTHS) / everybody) + F.lit(1)).cast(INTEGER)


def _baskets(orders: DataFrame) -> DataFrame:
    """What each customer bought on each day; to count different days within customers takes longer."""
    return orders.group_by("CUSTOMER_ID", "ORDER_DATE").agg(F.sum("TOTAL_AMOUNT").alias("REVENUE"))


def _first_days(session: Session, filters: Filters) -> DataFrame:
    """One line per customer: the day of the very first order that passes the filters, however long ago.

    Grouped and joined, where a window would sort and carry every order ever made.
    """
    orders = orders_of(session, filters, start=None)
    return orders.group_by("CUSTOMER_ID").agg(F.min("ORDER_DATE").alias("FIRST_DAY"))


def cohort_unit(first: date, filters: Filters) -> str:
    """Young shops are looked at by week, older ones by month."""
    return "week" if (filters.end - first).days < COHORT_WEEKS_UP_TO else "month"


def cohorts(session: Session, filters: Filters, unit: str) -> pd.DataFrame:
    """Customers by week or month of their first order, and how many bought again AGE of these later.

    The latest twelve cohorts up to the end of the period, so at most 78 lines.
    """
    cohort = F.date_trunc(unit, F.col("FIRST_DAY")).cast(DATE).alias("COHORT")
    recent = (
        _first_days(session, filters)
        .select("CUSTOMER_ID", cohort)
        .filter(F.datediff(unit, F.col("COHORT"), F.lit(filters.end)) < F.lit(MOST_COHORTS))
    )
    bought = orders_of(session, filters, start=None).select("CUSTOMER_ID", "ORDER_DATE")
    age = F.datediff(unit, F.col("COHORT"), F.col("ORDER_DATE")).alias("AGE")
    grouped = bought.join(recent, "CUSTOMER_ID").group_by("COHORT", age)
    return frame(grouped.agg(F.count_distinct("CUSTOMER_ID").alias("CUSTOMERS")).sort("COHORT", "AGE"))
