"""Without filters the dashboard says what the views of ANALYTICS say."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from dashboard import queries
from dashboard.filters import Choices, Filters
from tests.dashboard import shop


@pytest.fixture(scope="module")
def everything(cellar: Any) -> Filters:
    choices = queries.choices(cellar.session, shop.LAST_DAY)
    assert isinstance(choices, Choices)
    return Filters(choices.first, choices.last)


def rows(session: Session, view: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in session.table(view).select(*columns).collect()), key=repr)


def answer(frame: Any, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(line[name] for name in columns) for line in frame.to_dict("records")), key=repr)


def test_the_figures_of_sales_are_those_of_daily_sales_and_baskets(
    session: Session, everything: Filters
) -> None:
    (found,) = queries.sales_totals(session, everything).to_dict("records")
    (daily,) = session.table(names.DAILY_SALES).agg(F.sum("ORDER_COUNT"), F.sum("DAILY_REVENUE")).collect()
    (baskets,) = session.table(names.BASKET_STATISTICS).agg(F.sum("BASKET_COUNT")).collect()
    assert (found["ORDERS"], found["REVENUE"], found["BASKETS"]) == (*daily, baskets[0])
    assert found["CUSTOMERS"] == session.table(names.CUSTOMERS).count()


def test_one_day_has_the_average_basket_of_basket_statistics(session: Session) -> None:
    one = Filters(shop.LAST_DAY, shop.LAST_DAY)
    found = {bool(line["NOW"]): line for line in queries.sales_totals(session, one).to_dict("records")}[True]
    view = session.table(names.BASKET_STATISTICS).filter(F.col("ORDER_DATE") == F.lit(shop.LAST_DAY))
    (day,) = view.collect()
    assert round(Decimal(found["REVENUE"]) / found["BASKETS"], 2) == day["AVG_BASKET_VALUE"]


def test_revenue_by_day_is_daily_sales(session: Session) -> None:
    days = Filters(date(2026, 1, 1), shop.LAST_DAY)
    assert queries.bucket(days) == "day"
    found = answer(queries.revenue_over_time(session, days), "DAY", "REVENUE", "ORDERS")
    assert found == rows(session, names.DAILY_SALES, "ORDER_DATE", "DAILY_REVENUE", "ORDER_COUNT")


@pytest.mark.parametrize(
    ("column", "view"),
    [("PRODUCT_CATEGORY", names.SALES_BY_CATEGORY), ("SALES_CHANNEL", names.SALES_BY_CHANNEL)],
)
def test_revenue_by_category_and_channel_are_those_of_their_views(
    session: Session, everything: Filters, column: str, view: str
) -> None:
    found = queries.revenue_by(session, everything, column)
    found[column] = ["(none)" if name == queries.NONE else name for name in found[column]]
    expected = rows(session, view, column, "REVENUE", "ORDER_COUNT", "BOTTLES_SOLD")
    assert answer(found, column, "REVENUE", "ORDERS", "BOTTLES") == expected


def test_the_heat_map_is_sales_by_hour(session: Session, everything: Filters) -> None:
    found = queries.revenue_by_hour(session, everything)
    expected = rows(session, names.SALES_BY_HOUR, "DAY_OF_WEEK", "HOUR_OF_DAY", "REVENUE", "ORDER_COUNT")
    assert answer(found, "WEEKDAY", "HOUR", "REVENUE", "ORDERS") == expected


def test_top_wines_are_the_first_of_sales_by_product(session: Session, everything: Filters) -> None:
    view = session.table(names.SALES_BY_PRODUCT).sort(F.col("REVENUE").desc(), "PRODUCT_ID")
    first = view.limit(queries.MOST_LINES).select("PRODUCT_NAME", "BOTTLES_SOLD", "ORDER_COUNT", "REVENUE")
    found = queries.top_wines(session, everything).to_dict("records")
    columns = ("PRODUCT_NAME", "BOTTLES", "ORDERS", "REVENUE")
    assert [tuple(line[name] for name in columns) for line in found] == [
        tuple(row) for row in first.collect()
    ]


def test_scores_and_segments_of_customers_are_those_of_the_view(
    session: Session, everything: Filters
) -> None:
    by_segment = session.table(names.CUSTOMERS).group_by("SEGMENT")
    totals = by_segment.agg(F.count(F.lit(1)), F.sum("BASKET_COUNT"), F.sum("LIFETIME_VALUE")).collect()
    scored = queries.scored_customers(session, everything)
    found = queries.segments(scored)
    expected = sorted((tuple(row) for row in totals), key=repr)
    assert answer(found, "SEGMENT", "CUSTOMERS", "BASKETS", "REVENUE") == expected
    assert len(expected) >= 4
    columns = ("RECENCY_SCORE", "FREQUENCY_SCORE", "MONETARY_SCORE", "SEGMENT", "RECENCY_DAYS")
    view = {row[0]: row[1:] for row in rows(session, names.CUSTOMERS, "CUSTOMER_ID", *columns)}
    ours = ("CUSTOMER_ID", "RECENCY", "FREQUENCY", "MONETARY", "SEGMENT", "DAYS_SINCE")
    for customer, *scores in answer(queries.best_customers(scored), *ours):
        assert tuple(scores) == view[customer]


def test_the_balance_of_a_product_ends_where_the_ledger_does(session: Session, everything: Filters) -> None:
    product = 1007
    ledger = session.table(names.STOCK_LEDGER).filter(F.col("PRODUCT_ID") == F.lit(product)).collect()
    last = {row["WAREHOUSE_LOCATION"]: row for row in sorted(ledger, key=lambda row: row["MOVEMENT_NUMBER"])}
    found = queries.running_balance(session, everything, product)
    assert found["BALANCE"].iloc[-1] == sum(row["RUNNING_BALANCE"] for row in last.values())


def test_the_pipeline_page_counts_the_rows_that_pipeline_freshness_counts(cellar: Any) -> None:
    view = rows(cellar.session, names.PIPELINE_FRESHNESS, "LAYER", "TABLE_NAME", "ROW_COUNT")
    counted = {f"{layer}.{table}": count for layer, table, count in view}
    assert counted[names.ORDERS] == len(shop.orders())
    for table, count in counted.items():
        assert cellar.session.table(table).count() == count


def test_movements_are_lines_of_the_stock_ledger(session: Session, everything: Filters) -> None:
    columns = ("PRODUCT_ID", "WAREHOUSE_LOCATION", "QUANTITY_CHANGE", "RUNNING_BALANCE", "REASON")
    found = answer(queries.movements(session, everything), *columns)
    assert len(found) == queries.MOST_LINES
    assert not Counter(found) - Counter(rows(session, names.STOCK_LEDGER, *columns))
