"""What the questions share: tables behind the filters, columns as people read them, answers as frames."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from datetime import date
from typing import Final

import pandas as pd
from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.production import BUSINESS_TIME_ZONE
from dashboard.filters import Filters

# How many values a list of the sidebar and the lines of a table and of a chart over time may be.
MOST_CHOICES: Final = 100
MOST_LINES: Final = 50
MOST_DAYS: Final = 366
# Stands for a missing name; no shop sends it.
NONE: Final = "—"
_IN_THE_PERIOD: Final = date.min


def orders_of(session: Session, filters: Filters, start: date | None = _IN_THE_PERIOD) -> DataFrame:
    """Orders that pass the filters: of the period, from an earlier day on, or (None) from the beginning."""
    start = filters.start if start == _IN_THE_PERIOD else start
    day = F.col("ORDER_DATE")
    found = session.table(names.ORDERS).filter(day <= F.lit(filters.end))
    if start is not None:
        found = found.filter(day >= F.lit(start))
    found = among(found, "PRODUCT_CATEGORY", filters.categories)
    return among(found, "SALES_CHANNEL", filters.channels)


def comparable(orders: DataFrame, filters: Filters) -> DataFrame:
    """Without what the period before sold after the hour that this one has come to."""
    if filters.before_until is None:
        return orders
    in_time = paris("ORDER_TIMESTAMP") <= F.lit(filters.before_until)
    return orders.filter((F.col("ORDER_DATE") >= F.lit(filters.start)) | in_time)


def stock_of(session: Session, filters: Filters) -> DataFrame:
    found = among(session.table(names.INVENTORY_CURRENT), "PRODUCT_CATEGORY", filters.categories)
    return among(found, "WAREHOUSE_LOCATION", filters.locations)


def history_of(session: Session, filters: Filters) -> DataFrame:
    """Movements up to the end of the period that pass the filters."""
    found = session.table(names.INVENTORY_HISTORY).filter(F.col("ADJUSTMENT_DATE") <= F.lit(filters.end))
    found = among(found, "PRODUCT_CATEGORY", filters.categories)
    return among(found, "WAREHOUSE_LOCATION", filters.locations)


def among(table: DataFrame, column: str, values: tuple[str, ...]) -> DataFrame:
    return table.filter(F.col(column).isin(*values)) if values else table


def paris(column: str) -> Column:
    """A time in UTC as the clock on the wall shows it."""
    return F.convert_timezone(F.lit(BUSINESS_TIME_ZONE), F.col(column), F.lit("UTC"))


def revenue_and_orders() -> list[Column]:
    return [F.sum("TOTAL_AMOUNT").alias("REVENUE"), F.count(F.lit(1)).alias("ORDERS")]


def name_or_none(column: str) -> Column:
    return F.coalesce(F.col(column), F.lit(NONE)).alias(column)


def one_name(column: str) -> Column:
    # A product that was renamed is listed once, under one of its names.
    return F.coalesce(F.max(column), F.lit(NONE)).alias(column)


def frame(answer: DataFrame) -> pd.DataFrame:
    """The answer with the warehouse's own values: decimals stay exact, dates stay dates."""
    rows = answer.collect()
    columns = [field.name for field in answer.schema.fields] if not rows else list(rows[0].as_dict())
    return pd.DataFrame([tuple(row) for row in rows], columns=pd.Index(columns), dtype=object)
