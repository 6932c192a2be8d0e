"""What was sold: in the period, over time, by product, category, channel, hour and customer."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

import pandas as pd
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.schemas import DATE
from dashboard.filters import Filters
from dashboard.queries.shared import (
    MOST_CHOICES,
    MOST_DAYS,
    MOST_LINES,
    comparable,
    frame,
    name_or_none,
    orders_of,
    paris,
    revenue_and_orders,
)

# A period is cut finely enough to see its shape, and never into more than about a hundred bars.
HOURLY_UP_TO: Final = 3
DAILY_UP_TO: Final = 92
WEEKLY_UP_TO: Final = 730


def sales_totals(session: Session, filters: Filters) -> pd.DataFrame:
    """What was sold in the period (NOW true) and in the one before: at most two lines."""
    orders = comparable(orders_of(session, filters, start=filters.before), filters)
    return frame(
        orders.group_by((F.col("ORDER_DATE") >= F.lit(filters.start)).alias("NOW")).agg(
            F.count(F.lit(1)).alias("ORDERS"),
            F.count_distinct("CUSTOMER_ID").alias("CUSTOMERS"),
            F.sum("TOTAL_AMOUNT").alias("REVENUE"),
            F.sum("QUANTITY").alias("BOTTLES"),
            # As in BASKET_STATISTICS: what a customer orders on one day is one basket.
            F.count_distinct("CUSTOMER_ID", "ORDER_DATE").alias("BASKETS"),
        )
    )


def bucket(filters: Filters) -> str:
    """How finely a chart over time is cut: hour, day, week or month."""
    if filters.days <= HOURLY_UP_TO:
        return "hour"
    if filters.days <= DAILY_UP_TO:
        return "day"
    return "week" if filters.days <= WEEKLY_UP_TO else "month"


def revenue_over_time(session: Session, filters: Filters) -> pd.DataFrame:
    """Revenue and orders by hour in Paris (a time), or by day, week or month (its first day)."""
    unit = bucket(filters)
    start = (
        F.date_trunc(unit, paris("ORDER_TIMESTAMP"))
        if unit == "hour"
        else F.date_trunc(unit, "ORDER_DATE").cast(DATE)
    )
    grouped = orders_of(session, filters).group_by(start.alias("DAY"))
    return frame(grouped.agg(*revenue_and_orders()).sort("DAY").limit(MOST_DAYS))


def top_wines(session: Session, filters: Filters) -> pd.DataFrame:
    """The products that brought most, named as in PRODUCTS."""
    sold = (
        orders_of(session, filters)
        .group_by("PRODUCT_ID")
        .agg(F.sum("QUANTITY").alias("BOTTLES"), *revenue_and_orders())
        .sort(F.col("REVENUE").desc(), "PRODUCT_ID")
        .limit(MOST_LINES)
    )
    known = session.table(names.PRODUCTS).select(
        "PRODUCT_ID", name_or_none("PRODUCT_NAME"), name_or_none("PRODUCT_CATEGORY")
    )
    return frame(sold.join(known, "PRODUCT_ID").sort(F.col("REVENUE").desc(), "PRODUCT_ID"))


def revenue_by(session: Session, filters: Filters, column: str) -> pd.DataFrame:
    """Revenue and orders by PRODUCT_CATEGORY or SALES_CHANNEL, the largest first."""
    grouped = orders_of(session, filters).group_by(name_or_none(column))
    lines = grouped.agg(*revenue_and_orders(), F.sum("QUANTITY").alias("BOTTLES"))
    return frame(lines.sort(F.col("REVENUE").desc(), column).limit(MOST_CHOICES))


def revenue_by_hour(session: Session, filters: Filters) -> pd.DataFrame:
    """Revenue and orders by day of the week (1 is Monday) and hour in Paris: at most 168 lines."""
    # By hour first: there are far fewer hours than orders whose clock would have to be looked up.
    hourly = (
        orders_of(session, filters)
        .group_by("ORDER_DATE", F.date_trunc("hour", "ORDER_TIMESTAMP").alias("STARTED"))
        .agg(*revenue_and_orders())
    )
    grouped = hourly.group_by(
        F.call_function("DAYOFWEEKISO", F.col("ORDER_DATE")).alias("WEEKDAY"),
        F.hour(paris("STARTED")).alias("HOUR"),
    )
    totals = grouped.agg(F.sum("REVENUE").alias("REVENUE"), F.sum("ORDERS").alias("ORDERS"))
    return frame(totals.sort("WEEKDAY", "HOUR"))


def top_customers(session: Session, filters: Filters) -> pd.DataFrame:
    """The customers who spent most."""
    grouped = orders_of(session, filters).group_by("CUSTOMER_ID")
    lines = grouped.agg(
        *revenue_and_orders(), F.sum("QUANTITY").alias("BOTTLES"), F.max("ORDER_DATE").alias("LAST_ORDER")
    )
    return frame(lines.sort(F.col("REVENUE").desc(), "CUSTOMER_ID").limit(MOST_LINES))
