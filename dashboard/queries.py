"""Every question that the dashboard asks, and nothing else asks any.

Each is one statement whose answer is aggregated or cut to a fixed number of lines, so its size does not grow
with the shop's history. Filters reach it as Snowpark expressions: a value is a literal, never a piece of SQL.
What a view of ANALYTICS defines is read from there, or counted by its rule where a filter has to go inside;
without filters the figures are the same, and a test compares them.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from datetime import date, datetime
from typing import Any, Final

import pandas as pd
from snowflake.snowpark import Column, DataFrame, Session, Window
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.dead_letters import is_waiting
from caves_snowpark.health import observations, summary
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
# What lasts less than this many days runs out soon: suppliers deliver within a week.
SOON_DAYS: Final = 7
# A period is cut finely enough to see its shape, and never into more than about a hundred bars.
HOURLY_UP_TO: Final = 3
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
    sold = orders.filter(F.col("ORDER_DATE") == F.lit(last))
    ((last_order,),) = sold.agg(F.max(_paris("ORDER_TIMESTAMP"))).collect()
    return Choices(
        row[0],
        last,
        _values(orders, "PRODUCT_CATEGORY", history),
        _values(orders, "SALES_CHANNEL"),
        _values(session.table(names.INVENTORY_CURRENT), "WAREHOUSE_LOCATION"),
        last_order,
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
    orders = _comparable(_orders(session, filters, start=filters.before), filters)
    return _frame(
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
        F.date_trunc(unit, _paris("ORDER_TIMESTAMP"))
        if unit == "hour"
        else F.date_trunc(unit, "ORDER_DATE").cast(DATE)
    )
    grouped = _orders(session, filters).group_by(start.alias("DAY"))
    return _frame(grouped.agg(*_revenue_and_orders()).sort("DAY").limit(MOST_DAYS))


def top_wines(session: Session, filters: Filters) -> pd.DataFrame:
    """The products that brought most, named as in PRODUCTS."""
    sold = (
        _orders(session, filters)
        .group_by("PRODUCT_ID")
        .agg(F.sum("QUANTITY").alias("BOTTLES"), *_revenue_and_orders())
        .sort(F.col("REVENUE").desc(), "PRODUCT_ID")
        .limit(MOST_LINES)
    )
    known = session.table(names.PRODUCTS).select(
        "PRODUCT_ID", _name("PRODUCT_NAME"), _name("PRODUCT_CATEGORY")
    )
    return _frame(sold.join(known, "PRODUCT_ID").sort(F.col("REVENUE").desc(), "PRODUCT_ID"))


def revenue_by(session: Session, filters: Filters, column: str) -> pd.DataFrame:
    """Revenue and orders by PRODUCT_CATEGORY or SALES_CHANNEL, the largest first."""
    grouped = _orders(session, filters).group_by(_name(column))
    lines = grouped.agg(*_revenue_and_orders(), F.sum("QUANTITY").alias("BOTTLES"))
    return _frame(lines.sort(F.col("REVENUE").desc(), column).limit(MOST_CHOICES))


def revenue_by_hour(session: Session, filters: Filters) -> pd.DataFrame:
    """Revenue and orders by day of the week (1 is Monday) and hour in Paris: at most 168 lines."""
    grouped = _orders(session, filters).group_by(
        F.call_function("DAYOFWEEKISO", F.col("ORDER_DATE")).alias("WEEKDAY"),
        F.hour(_paris("ORDER_TIMESTAMP")).alias("HOUR"),
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


def stock_totals(session: Session, filters: Filters) -> dict[str, int]:
    """BOTTLES and PRODUCTS on the shelves, shelves that are LOW or CRITICAL, products that run out SOON."""
    stock = _stock(session, filters)
    (shelves,) = stock.agg(
        F.coalesce(F.sum("CURRENT_STOCK_LEVEL"), F.lit(0)).alias("BOTTLES"),
        F.count_distinct("PRODUCT_ID").alias("PRODUCTS"),
    ).collect()
    states = _low(session, filters).group_by("STOCK_STATUS").agg(F.count(F.lit(1)).alias("SHELVES")).collect()
    low = {str(line["STOCK_STATUS"]): int(line["SHELVES"]) for line in states}
    soon = _cover(session, filters).filter(F.col("DAYS_OF_COVER") < F.lit(SOON_DAYS)).count()
    found = {name: int(shelves[name]) for name in ("BOTTLES", "PRODUCTS")}
    return {**found, "LOW": low.get("LOW", 0), "CRITICAL": low.get("CRITICAL", 0), "SOON": int(soon)}


def low_stock(session: Session, filters: Filters) -> pd.DataFrame:
    """LOW_STOCK: shelves with few bottles, the emptiest first."""
    lines = _low(session, filters).sort("STOCK_LEVEL", "PRODUCT_ID", "WAREHOUSE_LOCATION").limit(MOST_LINES)
    return _frame(
        lines.select(
            *("STOCK_STATUS", "PRODUCT_ID", _name("PRODUCT_NAME"), _name("PRODUCT_CATEGORY")),
            *("WAREHOUSE_LOCATION", "STOCK_LEVEL", "PRODUCT_DAYS_OF_COVER", "PRODUCT_RUN_OUT_DATE"),
        )
    )


def running_out(session: Session, filters: Filters) -> pd.DataFrame:
    """STOCK_COVER: the products that run out first at the present rate of sale.

    Orders do not say from which place they were served, so the level is that of all places; the filter on
    places leaves the products that have a shelf there.
    """
    selling = _cover(session, filters).filter(F.col("DAYS_OF_COVER").is_not_null())
    lines = selling.sort("DAYS_OF_COVER", F.col("AVG_DAILY_SALE").desc(), "PRODUCT_ID").limit(MOST_LINES)
    return _frame(
        lines.select(
            *("PRODUCT_ID", _name("PRODUCT_NAME"), _name("PRODUCT_CATEGORY"), "STOCK_LEVEL"),
            *("AVG_DAILY_SALE", "DAYS_OF_COVER", "RUN_OUT_DATE", "WINDOW_DAYS"),
        )
    )


def _low(session: Session, filters: Filters) -> DataFrame:
    found = _among(session.table(names.LOW_STOCK), "PRODUCT_CATEGORY", filters.categories)
    return _among(found, "WAREHOUSE_LOCATION", filters.locations)


def _cover(session: Session, filters: Filters) -> DataFrame:
    found = _among(session.table(names.STOCK_COVER), "PRODUCT_CATEGORY", filters.categories)
    if not filters.locations:
        return found
    shelves = _stock(session, filters).select("PRODUCT_ID").distinct()
    return found.join(shelves, "PRODUCT_ID", "leftsemi")


def movements(session: Session, filters: Filters) -> pd.DataFrame:
    """STOCK_LEDGER: the latest movements of the period, each with the level of its shelf after it."""
    day = F.col("ADJUSTMENT_DATE")
    ledger = _among(session.table(names.STOCK_LEDGER), "PRODUCT_CATEGORY", filters.categories)
    moved = _among(ledger, "WAREHOUSE_LOCATION", filters.locations).filter(
        (day >= F.lit(filters.start)) & (day <= F.lit(filters.end))
    )
    newest = moved.sort(F.col("ADJUSTMENT_TIMESTAMP").desc(), "ADJUSTMENT_ID").limit(MOST_LINES)
    return _frame(
        newest.select(
            *(_paris("ADJUSTMENT_TIMESTAMP").alias("MOVED_AT"), "PRODUCT_ID", "PRODUCT_NAME"),
            *("WAREHOUSE_LOCATION", "ADJUSTMENT_TYPE", "QUANTITY_CHANGE", "RUNNING_BALANCE", "REASON"),
        )
    )


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

    NEW are those whose very first order is in it; REPEATED ordered on more than one day of it.
    """
    orders = _orders(session, filters, start=None)
    first = F.min("ORDER_DATE").over(Window.partition_by("CUSTOMER_ID"))
    seen = orders.select(
        "CUSTOMER_ID", "ORDER_DATE", "ORDER_TIMESTAMP", "TOTAL_AMOUNT", first.alias("FIRST_DAY")
    )
    now = F.col("ORDER_DATE") >= F.lit(filters.start)
    people = (
        _comparable(seen, filters)
        .filter(F.col("ORDER_DATE") >= F.lit(filters.before))
        .group_by(now.alias("NOW"), "CUSTOMER_ID")
        .agg(
            F.count_distinct("ORDER_DATE").alias("BASKETS"),
            F.sum("TOTAL_AMOUNT").alias("REVENUE"),
            F.min("FIRST_DAY").alias("FIRST_DAY"),
        )
    )
    start = F.when(F.col("NOW"), F.lit(filters.start)).otherwise(F.lit(filters.before))
    return _frame(
        people.group_by("NOW").agg(
            F.count(F.lit(1)).alias("CUSTOMERS"),
            F.sum(F.when(F.col("FIRST_DAY") >= start, F.lit(1)).otherwise(F.lit(0))).alias("NEW"),
            F.sum(F.when(F.col("BASKETS") > 1, F.lit(1)).otherwise(F.lit(0))).alias("REPEATED"),
            F.sum("BASKETS").alias("BASKETS"),
            F.sum("REVENUE").alias("REVENUE"),
        )
    )


def segments(session: Session, filters: Filters) -> pd.DataFrame:
    """Customers, baskets and revenue of each RFM segment of the period: at most six lines."""
    grouped = _scored(session, filters).group_by("SEGMENT")
    return _frame(
        grouped.agg(
            F.count(F.lit(1)).alias("CUSTOMERS"),
            F.sum("BASKETS").alias("BASKETS"),
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
            *("BASKETS", "REVENUE", "LAST_ORDER", "DAYS_SINCE"),
        )
    )


def _scored(session: Session, filters: Filters) -> DataFrame:
    """One line per customer of the period, scored and put into a segment by the rules of CUSTOMERS.

    The view knows no period, so its rules stand here a second time: with all of history they agree.
    """
    people = (
        _orders(session, filters)
        .group_by("CUSTOMER_ID")
        .agg(
            F.count_distinct("ORDER_DATE").alias("BASKETS"),
            F.sum("TOTAL_AMOUNT").alias("REVENUE"),
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
    return scored.with_column("SEGMENT", segment)


def _fifth(column: str) -> Column:
    """5 for the fifth with most, down to 1; equal values score equally."""
    worse = F.rank().over(Window.order_by(column)) - F.lit(1)
    everybody = F.count(F.lit(1)).over(Window.partition_by(F.lit(1)))
    return (F.floor(worse * F.lit(FIFTHS) / everybody) + F.lit(1)).cast(INTEGER)


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
    """What OPS.PIPELINE_HEALTH() answers: rows and times by table, pending rows by stream, rejections."""
    return summary(observations(session).collect())


def alerts(session: Session) -> pd.DataFrame:
    """ALERT_LOG: what is open, the worst first, then what was over last."""
    log = session.table(names.ALERT_LOG).select(
        *("SEVERITY", "ALERT_NAME", "SUBJECT", "FIRED_AT", "CLEARED_AT"),
        F.to_json("DETAILS").alias("DETAILS"),
    )
    latest = (F.col("CLEARED_AT").desc_nulls_first(), "SEVERITY", F.col("FIRED_AT").desc())
    return _frame(log.sort(*latest, "ALERT_NAME", "SUBJECT").limit(MOST_LINES))


def open_alerts(session: Session) -> int:
    return int(session.table(names.OPEN_ALERTS).count())


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


def _comparable(orders: DataFrame, filters: Filters) -> DataFrame:
    """Without what the period before sold after the hour that this one has come to."""
    if filters.before_until is None:
        return orders
    in_time = _paris("ORDER_TIMESTAMP") <= F.lit(filters.before_until)
    return orders.filter((F.col("ORDER_DATE") >= F.lit(filters.start)) | in_time)


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


def _paris(column: str) -> Column:
    """A time in UTC as the clock on the wall shows it."""
    return F.convert_timezone(F.lit(BUSINESS_TIME_ZONE), F.col(column), F.lit("UTC"))


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
