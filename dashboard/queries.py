"""Every question that the dashboard asks, and nothing else asks any.

Each is one statement whose answer is aggregated or cut to a fixed number of lines, so its size does not grow
with the shop's history. Filters reach it as Snowpark expressions: a value is a literal, never a piece of SQL.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

import json
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd
from snowflake.snowpark import Column, DataFrame, Session, Window
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.dead_letters import is_waiting
from caves_snowpark.invariants import Invariant
from caves_snowpark.production import BUSINESS_TIME_ZONE
from caves_snowpark.schemas import DATE, INTEGER
from dashboard.filters import Choices, Filters

# How many values a list of the sidebar, the lines of a table and the products of a menu may be.
MOST_CHOICES: Final = 100
MOST_LINES: Final = 50
MOST_PRODUCTS: Final = 1_000
MOST_DAYS: Final = 366
MOST_COHORTS: Final = 12
# The rate of sale is that of the last four weeks: whole weeks, for Saturdays are not as Mondays.
RATE_DAYS: Final = 28
# Days of cover below which stock is critical, and low: suppliers deliver within a week.
CRITICAL_DAYS: Final = 7
LOW_DAYS: Final = 21
# Longer periods are shown by week and by month, so that a chart never has more than about a hundred bars.
DAILY_UP_TO: Final = 92
WEEKLY_UP_TO: Final = 730
COHORT_WEEKS_UP_TO: Final = 120
# Scores of RFM: fifths.
FIFTHS: Final = 5
# A warehouse without data has no day to end a period on.
NO_CHOICES: Final = Choices(date(2000, 1, 1), date(2000, 1, 1))
# Stands for a missing name; no shop sends it.
NONE: Final = "—"
# A table function with a named argument, which Snowpark has no expression for. Nothing from outside is in it.
_TASK_HISTORY: Final = """
    SELECT NAME, STATE, SCHEDULED_TIME, COMPLETED_TIME, RETURN_VALUE, ERROR_MESSAGE
    FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000))
    WHERE STATE NOT IN ('SCHEDULED', 'SKIPPED')
    ORDER BY SCHEDULED_TIME DESC
"""


def choices(session: Session, today: date) -> Choices | None:
    """The days that have orders or movements and the values of each list; None where there are neither.

    An event from the future (a till whose clock is wrong) does not move the end past today.
    """
    orders, history = session.table(names.ORDERS), session.table(names.INVENTORY_HISTORY)
    days = orders.select(F.col("ORDER_DATE").alias("DAY")).union_all(
        history.select(F.col("ADJUSTMENT_DATE").alias("DAY"))
    )
    (row,) = days.agg(F.min("DAY"), F.max("DAY")).collect()
    if row[0] is None:
        return None
    last = max(min(row[1], today), row[0])
    return Choices(
        row[0],
        last,
        _values(orders, "PRODUCT_CATEGORY", history),
        _values(orders, "SALES_CHANNEL"),
        _values(session.table(names.INVENTORY_CURRENT), "WAREHOUSE_LOCATION"),
    )


def _values(table: DataFrame, column: str, *others: DataFrame) -> tuple[str, ...]:
    found = table.select(column)
    for other in others:
        found = found.union_all(other.select(column))
    lines = found.filter(F.col(column).is_not_null()).distinct().sort(column).limit(MOST_CHOICES).collect()
    return tuple(str(line[0]) for line in lines)


# Sales


def sales_totals(session: Session, filters: Filters) -> pd.DataFrame:
    """What was sold in the period (NOW true) and in the one before: at most two lines."""
    orders = _orders(session, filters, start=filters.before)
    return _frame(
        orders.group_by((F.col("ORDER_DATE") >= F.lit(filters.start)).alias("NOW")).agg(
            F.count(F.lit(1)).alias("ORDERS"),
            F.count_distinct("CUSTOMER_ID").alias("CUSTOMERS"),
            F.sum("TOTAL_AMOUNT").alias("REVENUE"),
            F.sum("QUANTITY").alias("BOTTLES"),
        )
    )


def bucket(filters: Filters) -> str:
    """How finely a chart over time is cut: day, week or month."""
    if filters.days <= DAILY_UP_TO:
        return "day"
    return "week" if filters.days <= WEEKLY_UP_TO else "month"


def revenue_over_time(session: Session, filters: Filters) -> pd.DataFrame:
    """Revenue and orders by day, week or month: about a hundred lines."""
    start = F.date_trunc(bucket(filters), "ORDER_DATE").cast(DATE).alias("DAY")
    grouped = _orders(session, filters).group_by(start)
    return _frame(grouped.agg(*_revenue_and_orders()).sort("DAY").limit(MOST_DAYS))


def top_wines(session: Session, filters: Filters) -> pd.DataFrame:
    """The products that brought most."""
    grouped = _orders(session, filters).group_by("PRODUCT_ID")
    lines = grouped.agg(
        _named("PRODUCT_NAME"),
        _named("PRODUCT_CATEGORY"),
        F.sum("QUANTITY").alias("BOTTLES"),
        *_revenue_and_orders(),
    )
    return _frame(lines.sort(F.col("REVENUE").desc(), "PRODUCT_ID").limit(MOST_LINES))


def revenue_by(session: Session, filters: Filters, column: str) -> pd.DataFrame:
    """Revenue and orders by PRODUCT_CATEGORY or SALES_CHANNEL, the largest first."""
    grouped = _orders(session, filters).group_by(_name(column))
    lines = grouped.agg(*_revenue_and_orders(), F.sum("QUANTITY").alias("BOTTLES"))
    return _frame(lines.sort(F.col("REVENUE").desc(), column).limit(MOST_CHOICES))


def revenue_by_hour(session: Session, filters: Filters) -> pd.DataFrame:
    """Revenue and orders by day of the week (1 is Monday) and hour in Paris: at most 168 lines."""
    paris = F.convert_timezone(F.lit(BUSINESS_TIME_ZONE), F.col("ORDER_TIMESTAMP"), F.lit("UTC"))
    grouped = _orders(session, filters).group_by(
        F.call_function("DAYOFWEEKISO", F.col("ORDER_DATE")).alias("WEEKDAY"), F.hour(paris).alias("HOUR")
    )
    return _frame(grouped.agg(*_revenue_and_orders()).sort("WEEKDAY", "HOUR"))


def top_customers(session: Session, filters: Filters) -> pd.DataFrame:
    """The customers who spent most."""
    grouped = _orders(session, filters).group_by("CUSTOMER_ID")
    lines = grouped.agg(
        *_revenue_and_orders(), F.sum("QUANTITY").alias("BOTTLES"), F.max("ORDER_DATE").alias("LAST_ORDER")
    )
    return _frame(lines.sort(F.col("REVENUE").desc(), "CUSTOMER_ID").limit(MOST_LINES))


# Stock


def stock_levels(session: Session, filters: Filters) -> pd.DataFrame:
    """Bottles and products by category and location."""
    grouped = _stock(session, filters).group_by(_name("PRODUCT_CATEGORY"), "WAREHOUSE_LOCATION")
    lines = grouped.agg(
        F.sum("CURRENT_STOCK_LEVEL").alias("BOTTLES"), F.count_distinct("PRODUCT_ID").alias("PRODUCTS")
    )
    return _frame(lines.sort("WAREHOUSE_LOCATION", "PRODUCT_CATEGORY").limit(MOST_CHOICES * 5))


def stock_states(session: Session, filters: Filters, rate_days: int) -> pd.DataFrame:
    """Products and bottles that are OUT, CRITICAL, LOW, OK or NOT_SOLD: at most five lines."""
    grouped = _cover(session, filters, rate_days).group_by("STATE")
    return _frame(grouped.agg(F.count(F.lit(1)).alias("PRODUCTS"), F.sum("BOTTLES").alias("BOTTLES")))


def low_stock(session: Session, filters: Filters, rate_days: int) -> pd.DataFrame:
    """The products that run out first, with days of cover and the date of the last bottle."""
    lines = _cover(session, filters, rate_days).filter(F.col("STATE").isin("OUT", "CRITICAL", "LOW"))
    runs_out = F.dateadd("day", F.floor("COVER_DAYS"), F.lit(filters.end)).alias("RUNS_OUT")
    return _frame(
        lines.sort("COVER_DAYS", F.col("SOLD_A_DAY").desc(), "PRODUCT_ID")
        .limit(MOST_LINES)
        .select(
            *("PRODUCT_ID", "PRODUCT_NAME", "PRODUCT_CATEGORY", "STATE", "BOTTLES"),
            *("SOLD_A_DAY", "COVER_DAYS", runs_out),
        )
    )


def rate_days(first: date, filters: Filters) -> int:
    """Over how many days the rate of sale is taken: four weeks, or as long as there has been a shop."""
    return max(1, min(RATE_DAYS, (filters.end - first).days + 1))


def _cover(session: Session, filters: Filters, rate_days: int) -> DataFrame:
    """One line per product in stock at the chosen places, and how long it lasts.

    Orders do not say from which place they were served, so the rate of sale is the whole shop's.
    Columns out: PRODUCT_ID, PRODUCT_NAME, PRODUCT_CATEGORY, BOTTLES, SOLD_A_DAY, STATE, and COVER_DAYS, which
    is null for what is not sold.
    """
    stock = (
        _stock(session, filters)
        .group_by("PRODUCT_ID")
        .agg(
            _named("PRODUCT_NAME"), _named("PRODUCT_CATEGORY"), F.sum("CURRENT_STOCK_LEVEL").alias("BOTTLES")
        )
    )
    since = F.lit(filters.end - timedelta(rate_days - 1))
    day = F.col("ORDER_DATE")
    sold = (
        session.table(names.ORDERS)
        .filter((day >= since) & (day <= F.lit(filters.end)))
        .group_by(F.col("PRODUCT_ID").alias("SOLD_ID"))
        .agg((F.sum("QUANTITY") / F.lit(rate_days)).alias("RATE"))
    )
    joined = stock.join(sold, F.col("PRODUCT_ID") == F.col("SOLD_ID"), "left")
    level, rate = F.col("BOTTLES"), F.col("RATE")
    days = F.when(level <= 0, F.lit(0)).when(rate > 0, level / rate)
    state = (
        F.when(level <= 0, F.lit("OUT"))
        .when(rate.is_null(), F.lit("NOT_SOLD"))
        .when(level < rate * F.lit(CRITICAL_DAYS), F.lit("CRITICAL"))
        .when(level < rate * F.lit(LOW_DAYS), F.lit("LOW"))
        .otherwise(F.lit("OK"))
    )
    return joined.select(
        *("PRODUCT_ID", "PRODUCT_NAME", "PRODUCT_CATEGORY", "BOTTLES"),
        F.coalesce(rate, F.lit(0)).alias("SOLD_A_DAY"),
        days.alias("COVER_DAYS"),
        state.alias("STATE"),
    )


def movements(session: Session, filters: Filters) -> pd.DataFrame:
    """The latest movements of the period."""
    moved = _history(session, filters).filter(F.col("ADJUSTMENT_DATE") >= F.lit(filters.start))
    when = F.convert_timezone(F.lit(BUSINESS_TIME_ZONE), F.col("ADJUSTMENT_TIMESTAMP"), F.lit("UTC"))
    lines = moved.select(
        *("ADJUSTMENT_TIMESTAMP", when.alias("MOVED_AT"), "PRODUCT_ID", "PRODUCT_NAME", "WAREHOUSE_LOCATION"),
        *("ADJUSTMENT_TYPE", "QUANTITY_CHANGE", "REASON", "ADJUSTMENT_ID"),
    )
    newest = lines.sort(F.col("ADJUSTMENT_TIMESTAMP").desc(), "ADJUSTMENT_ID").limit(MOST_LINES)
    return _frame(newest.drop("ADJUSTMENT_TIMESTAMP", "ADJUSTMENT_ID"))


def products(session: Session, filters: Filters) -> dict[int, str]:
    """The products in stock by number, in the order of their names."""
    grouped = _stock(session, filters).group_by("PRODUCT_ID").agg(_named("PRODUCT_NAME"))
    lines = grouped.sort("PRODUCT_NAME", "PRODUCT_ID").limit(MOST_PRODUCTS).collect()
    return {int(line["PRODUCT_ID"]): str(line["PRODUCT_NAME"]) for line in lines}


def running_balance(session: Session, filters: Filters, product: int) -> pd.DataFrame:
    """Bottles in and out, and the level in the evening, by day of the period on which the product moved."""
    moved = _history(session, filters).filter(F.col("PRODUCT_ID") == F.lit(product))
    daily = moved.group_by(F.col("ADJUSTMENT_DATE").alias("DAY")).agg(
        F.sum("QUANTITY_CHANGE").alias("CHANGE")
    )
    so_far = Window.order_by("DAY").rows_between(Window.UNBOUNDED_PRECEDING, Window.CURRENT_ROW)
    balance = daily.select("DAY", "CHANGE", F.sum("CHANGE").over(so_far).alias("BALANCE"))
    shown = balance.filter(F.col("DAY") >= F.lit(filters.start)).sort(F.col("DAY").desc()).limit(MOST_DAYS)
    return _frame(shown).sort_values("DAY", ignore_index=True)


# Customers


def customer_totals(session: Session, filters: Filters) -> pd.DataFrame:
    """Customers of the period (NOW true) and of the one before, and what they spent: at most two lines.

    NEW are those whose very first order is in it; REPEATED ordered more than once in it.
    """
    orders = _orders(session, filters, start=None)
    first = F.min("ORDER_DATE").over(Window.partition_by("CUSTOMER_ID"))
    seen = orders.select("CUSTOMER_ID", "ORDER_DATE", "TOTAL_AMOUNT", first.alias("FIRST_DAY"))
    now = F.col("ORDER_DATE") >= F.lit(filters.start)
    people = (
        seen.filter(F.col("ORDER_DATE") >= F.lit(filters.before))
        .group_by(now.alias("NOW"), "CUSTOMER_ID")
        .agg(
            F.count(F.lit(1)).alias("ORDERS"),
            F.sum("TOTAL_AMOUNT").alias("REVENUE"),
            F.min("FIRST_DAY").alias("FIRST_DAY"),
        )
    )
    start = F.when(F.col("NOW"), F.lit(filters.start)).otherwise(F.lit(filters.before))
    return _frame(
        people.group_by("NOW").agg(
            F.count(F.lit(1)).alias("CUSTOMERS"),
            F.sum(F.when(F.col("FIRST_DAY") >= start, F.lit(1)).otherwise(F.lit(0))).alias("NEW"),
            F.sum(F.when(F.col("ORDERS") > 1, F.lit(1)).otherwise(F.lit(0))).alias("REPEATED"),
            F.sum("ORDERS").alias("ORDERS"),
            F.sum("REVENUE").alias("REVENUE"),
        )
    )


def segments(session: Session, filters: Filters) -> pd.DataFrame:
    """Customers, orders and revenue of each RFM segment of the period: at most five lines."""
    grouped = _scored(session, filters).group_by("SEGMENT")
    return _frame(
        grouped.agg(
            F.count(F.lit(1)).alias("CUSTOMERS"),
            F.sum("ORDERS").alias("ORDERS"),
            F.sum("REVENUE").alias("REVENUE"),
            F.avg("DAYS_SINCE").alias("DAYS_SINCE"),
        ).sort(F.col("REVENUE").desc(), "SEGMENT")
    )


def best_customers(session: Session, filters: Filters) -> pd.DataFrame:
    """The customers of the period who spent most, with their scores and segment."""
    lines = _scored(session, filters).sort(F.col("REVENUE").desc(), "CUSTOMER_ID").limit(MOST_LINES)
    return _frame(
        lines.select(
            *("CUSTOMER_ID", "SEGMENT", "RECENCY", "FREQUENCY", "MONETARY"),
            *("ORDERS", "REVENUE", "LAST_ORDER", "DAYS_SINCE"),
        )
    )


def _scored(session: Session, filters: Filters) -> DataFrame:
    """One line per customer of the period, scored 1 to 5 for how recently, often and much they bought.

    A score says in which fifth of the customers one is; equal customers have equal scores.
    """
    people = (
        _orders(session, filters)
        .group_by("CUSTOMER_ID")
        .agg(*_revenue_and_orders(), F.max("ORDER_DATE").alias("LAST_ORDER"))
    )
    scored = people.select(
        *("CUSTOMER_ID", "ORDERS", "REVENUE", "LAST_ORDER"),
        F.datediff("day", F.col("LAST_ORDER"), F.lit(filters.end)).alias("DAYS_SINCE"),
        _fifth("LAST_ORDER").alias("RECENCY"),
        _fifth("ORDERS").alias("FREQUENCY"),
        _fifth("REVENUE").alias("MONETARY"),
    )
    recency, frequency = F.col("RECENCY"), F.col("FREQUENCY")
    segment = (
        F.when((recency >= 4) & (frequency >= 4), F.lit("CHAMPIONS"))
        .when((recency >= 3) & (frequency >= 3), F.lit("LOYAL"))
        .when(recency >= 3, F.lit("NEW"))
        .when(frequency >= 3, F.lit("AT_RISK"))
        .otherwise(F.lit("ASLEEP"))
    )
    return scored.with_column("SEGMENT", segment)


def _fifth(column: str) -> Column:
    rank = F.percent_rank().over(Window.order_by(column))
    return F.least(F.floor(rank * F.lit(FIFTHS)) + F.lit(1), F.lit(FIFTHS)).cast(INTEGER)


def cohort_unit(first: date, filters: Filters) -> str:
    """Young shops are looked at by week, older ones by month."""
    return "week" if (filters.end - first).days < COHORT_WEEKS_UP_TO else "month"


def cohorts(session: Session, filters: Filters, unit: str) -> pd.DataFrame:
    """Customers by week or month of their first order, and how many bought again AGE of these later.

    The latest twelve cohorts up to the end of the period, so at most 78 lines.
    """
    first = F.min("ORDER_DATE").over(Window.partition_by("CUSTOMER_ID"))
    dated = _orders(session, filters, start=None).select(
        "CUSTOMER_ID",
        F.date_trunc(unit, first).cast(DATE).alias("COHORT"),
        F.date_trunc(unit, F.col("ORDER_DATE")).cast(DATE).alias("BOUGHT"),
    )
    last = F.date_trunc(unit, F.lit(filters.end)).cast(DATE)
    recent = dated.filter(F.datediff(unit, F.col("COHORT"), last) < F.lit(MOST_COHORTS))
    grouped = recent.group_by("COHORT", F.datediff(unit, F.col("COHORT"), F.col("BOUGHT")).alias("AGE"))
    return _frame(grouped.agg(F.count_distinct("CUSTOMER_ID").alias("CUSTOMERS")).sort("COHORT", "AGE"))


# Pipeline


def health(session: Session) -> dict[str, Any]:
    """OPS.PIPELINE_HEALTH(): rows and times by table, pending rows by stream, rejections by reason."""
    answer: dict[str, Any] = json.loads(str(session.call(names.PIPELINE_HEALTH)))
    return answer


def waiting_rejected(session: Session) -> int:
    """How many rejected events were neither replayed nor dismissed; one may have several reasons."""
    return int(session.table(names.REJECTED_EVENTS).filter(is_waiting()).count())


def task_runs(session: Session) -> pd.DataFrame:
    """The latest runs of tasks, newest first; those that had nothing to do are left out."""
    history = session.sql(_TASK_HISTORY).limit(MOST_LINES)
    found = _frame(history)
    times = zip(found["SCHEDULED_TIME"], found["COMPLETED_TIME"], strict=True)
    found["SECONDS"] = [_seconds(scheduled, completed) for scheduled, completed in times]
    return found


def offenders(session: Session, invariant: Invariant) -> int:
    """How many rows break the invariant, counted up to a thousand."""
    return len(session.sql(invariant.sql).limit(MOST_PRODUCTS).collect())


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 1) if start and end else None


# What the questions share


_IN_THE_PERIOD: Final = date.min


def _orders(session: Session, filters: Filters, start: date | None = _IN_THE_PERIOD) -> DataFrame:
    """Orders that pass the filters: of the period, from an earlier day on, or (None) from the beginning."""
    start = filters.start if start == _IN_THE_PERIOD else start
    day = F.col("ORDER_DATE")
    found = session.table(names.ORDERS).filter(day <= F.lit(filters.end))
    if start is not None:
        found = found.filter(day >= F.lit(start))
    found = _among(found, "PRODUCT_CATEGORY", filters.categories)
    return _among(found, "SALES_CHANNEL", filters.channels)


def _stock(session: Session, filters: Filters) -> DataFrame:
    found = _among(session.table(names.INVENTORY_CURRENT), "PRODUCT_CATEGORY", filters.categories)
    return _among(found, "WAREHOUSE_LOCATION", filters.locations)


def _history(session: Session, filters: Filters) -> DataFrame:
    """Movements up to the end of the period that pass the filters."""
    found = session.table(names.INVENTORY_HISTORY).filter(F.col("ADJUSTMENT_DATE") <= F.lit(filters.end))
    found = _among(found, "PRODUCT_CATEGORY", filters.categories)
    return _among(found, "WAREHOUSE_LOCATION", filters.locations)


def _among(table: DataFrame, column: str, values: tuple[str, ...]) -> DataFrame:
    return table.filter(F.col(column).isin(*values)) if values else table


def _revenue_and_orders() -> list[Column]:
    return [F.sum("TOTAL_AMOUNT").alias("REVENUE"), F.count(F.lit(1)).alias("ORDERS")]


def _name(column: str) -> Column:
    return F.coalesce(F.col(column), F.lit(NONE)).alias(column)


def _named(column: str) -> Column:
    # A product that was renamed is listed once, under one of its names.
    return F.coalesce(F.max(column), F.lit(NONE)).alias(column)


def _frame(answer: DataFrame) -> pd.DataFrame:
    """The answer with the warehouse's own values: decimals stay exact, dates stay dates."""
    rows = answer.collect()
    columns = [field.name for field in answer.schema.fields] if not rows else list(rows[0].as_dict())
    return pd.DataFrame([tuple(row) for row in rows], columns=pd.Index(columns), dtype=object)
