"""What is on the shelves, how long it lasts, and what moved."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

import pandas as pd
from snowflake.snowpark import DataFrame, Session, Window
from snowflake.snowpark import functions as F

from caves_snowpark import names
from dashboard.filters import Filters
from dashboard.queries.shared import (
    MOST_CHOICES,
    MOST_DAYS,
    MOST_LINES,
    among,
    frame,
    history_of,
    name_or_none,
    one_name,
    paris,
    stock_of,
)

MOST_PRODUCTS: Final = 1_000
# What lasts less than this many days runs out soon: suppliers deliver within a week.
SOON_DAYS: Final = 7
_FROM_THE_FIRST: Final = (Window.UNBOUNDED_PRECEDING, Window.CURRENT_ROW)


def stock_levels(session: Session, filters: Filters) -> pd.DataFrame:
    """Bottles and products by category and location."""
    grouped = stock_of(session, filters).group_by(name_or_none("PRODUCT_CATEGORY"), "WAREHOUSE_LOCATION")
    lines = grouped.agg(
        F.sum("CURRENT_STOCK_LEVEL").alias("BOTTLES"), F.count_distinct("PRODUCT_ID").alias("PRODUCTS")
    )
    return frame(lines.sort("WAREHOUSE_LOCATION", "PRODUCT_CATEGORY").limit(MOST_CHOICES * 5))


def stock_totals(session: Session, filters: Filters) -> dict[str, int]:
    """BOTTLES and PRODUCTS on the shelves, shelves that are LOW or CRITICAL, products that run out SOON."""
    stock = stock_of(session, filters)
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
    return frame(
        lines.select(
            *("STOCK_STATUS", "PRODUCT_ID", name_or_none("PRODUCT_NAME"), name_or_none("PRODUCT_CATEGORY")),
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
    return frame(
        lines.select(
            *("PRODUCT_ID", name_or_none("PRODUCT_NAME"), name_or_none("PRODUCT_CATEGORY"), "STOCK_LEVEL"),
            *("AVG_DAILY_SALE", "DAYS_OF_COVER", "RUN_OUT_DATE", "WINDOW_DAYS"),
        )
    )


def _low(session: Session, filters: Filters) -> DataFrame:
    found = among(session.table(names.LOW_STOCK), "PRODUCT_CATEGORY", filters.categories)
    return among(found, "WAREHOUSE_LOCATION", filters.locations)


def _cover(session: Session, filters: Filters) -> DataFrame:
    found = among(session.table(names.STOCK_COVER), "PRODUCT_CATEGORY", filters.categories)
    if not filters.locations:
        return found
    shelves = stock_of(session, filters).select("PRODUCT_ID").distinct()
    return found.join(shelves, "PRODUCT_ID", "leftsemi")


def movements(session: Session, filters: Filters) -> pd.DataFrame:
    """The latest movements of the period, each with the level of its shelf after it, as in STOCK_LEDGER.

    The view's rule stands here a second time, for the few shelves that are shown: the view orders every
    movement there ever was.
    """
    moved = history_of(session, filters).filter(F.col("ADJUSTMENT_DATE") >= F.lit(filters.start))
    newest = moved.sort(F.col("ADJUSTMENT_TIMESTAMP").desc(), "ADJUSTMENT_ID").limit(MOST_LINES)
    shelf = ("PRODUCT_ID", "WAREHOUSE_LOCATION")
    order = ("ADJUSTMENT_TIMESTAMP", "SOURCE_PARTITION", "SOURCE_OFFSET", "ADJUSTMENT_ID")
    so_far = Window.partition_by(*shelf).order_by(*order).rows_between(*_FROM_THE_FIRST)
    shown = session.table(names.INVENTORY_HISTORY).filter(
        F.in_([F.col(name) for name in shelf], newest.select(*shelf))
    )
    ledger = shown.select(
        *("ADJUSTMENT_ID", "ADJUSTMENT_TIMESTAMP", "PRODUCT_ID", "PRODUCT_NAME", "WAREHOUSE_LOCATION"),
        *("ADJUSTMENT_TYPE", "QUANTITY_CHANGE", "REASON"),
        F.sum("QUANTITY_CHANGE").over(so_far).alias("RUNNING_BALANCE"),
    )
    lines = ledger.filter(F.col("ADJUSTMENT_ID").in_(newest.select("ADJUSTMENT_ID")))
    return frame(
        lines.sort(F.col("ADJUSTMENT_TIMESTAMP").desc(), "ADJUSTMENT_ID").select(
            *(paris("ADJUSTMENT_TIMESTAMP").alias("MOVED_AT"), "PRODUCT_ID", "PRODUCT_NAME"),
            *("WAREHOUSE_LOCATION", "ADJUSTMENT_TYPE", "QUANTITY_CHANGE", "RUNNING_BALANCE", "REASON"),
        )
    )


def products(session: Session, filters: Filters) -> dict[int, str]:
    """The products in stock by number, in the order of their names."""
    grouped = stock_of(session, filters).group_by("PRODUCT_ID").agg(one_name("PRODUCT_NAME"))
    lines = grouped.sort("PRODUCT_NAME", "PRODUCT_ID").limit(MOST_PRODUCTS).collect()
    return {int(line["PRODUCT_ID"]): str(line["PRODUCT_NAME"]) for line in lines}


def running_balance(session: Session, filters: Filters, product: int) -> pd.DataFrame:
    """Bottles in and out, and the level in the evening, by day of the period on which the product moved."""
    moved = history_of(session, filters).filter(F.col("PRODUCT_ID") == F.lit(product))
    daily = moved.group_by(F.col("ADJUSTMENT_DATE").alias("DAY")).agg(
        F.sum("QUANTITY_CHANGE").alias("CHANGE")
    )
    so_far = Window.order_by("DAY").rows_between(*_FROM_THE_FIRST)
    balance = daily.select("DAY", "CHANGE", F.sum("CHANGE").over(so_far).alias("BALANCE"))
    shown = balance.filter(F.col("DAY") >= F.lit(filters.start)).sort(F.col("DAY").desc()).limit(MOST_DAYS)
    return frame(shown).sort_values("DAY", ignore_index=True)
