"""Every view of ANALYTICS against the same figures worked out in Python. PITFALLS 6 and 8."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from caves_snowpark import names
from tests.analytics import view_answers
from tests.analytics.conftest import Asked, Warehouse
from tests.analytics.figures import Row


def rows_of(asked: Asked, view: str) -> list[Row]:
    rows = asked.rows(view)
    if view == names.PIPELINE_FRESHNESS:
        rows = [(*row[:4], row[5]) for row in rows]
    return sorted(rows, key=str)


def found(asked: Asked, view: str, **key: Any) -> dict[str, Any]:
    """The one row of a view with this key, by column."""
    rows = [dict(zip(asked.columns(view), row, strict=True)) for row in asked.rows(view)]
    (row,) = [row for row in rows if all(row[column] == value for column, value in key.items())]
    return row


def test_every_view_has_an_answer_of_its_own() -> None:
    assert set(view_answers.ANSWERS) == set(names.VIEWS)


@pytest.mark.parametrize("view", names.VIEWS)
def test_a_view_says_what_python_says(warehouse: Warehouse, view: str) -> None:
    assert rows_of(warehouse.full, view) == view_answers.expected(view, warehouse.full.known)


@pytest.mark.parametrize("view", names.VIEWS)
def test_a_view_of_an_empty_warehouse_has_nothing_to_say_and_says_it(warehouse: Warehouse, view: str) -> None:
    assert rows_of(warehouse.empty, view) == view_answers.expected(view, warehouse.empty.known)
    assert bool(warehouse.empty.rows(view)) == (view == names.PIPELINE_FRESHNESS)


# The figures below were worked out by hand: Python and SQL could share a mistake.


def test_an_order_half_an_hour_before_midnight_in_paris_is_of_june(warehouse: Warehouse) -> None:
    """PITFALL 6: 21:30 and 22:00 in UTC are two days, and two months, in Paris."""
    june = found(warehouse.full, names.DAILY_SALES, ORDER_DATE=date(2025, 6, 30))
    july = found(warehouse.full, names.DAILY_SALES, ORDER_DATE=date(2025, 7, 1))
    assert (june["DAILY_REVENUE"], july["DAILY_REVENUE"]) == (Decimal(45), Decimal("108.01"))
    late = found(warehouse.full, names.SALES_BY_HOUR, DAY_OF_WEEK=1, HOUR_OF_DAY=23)
    assert (late["ORDER_COUNT"], late["REVENUE"]) == (1, Decimal(45))


def test_a_customer_is_listed_once(warehouse: Warehouse) -> None:
    """PITFALL 8: a customer listed once per order."""
    ids = [row[0] for row in warehouse.full.rows(names.CUSTOMERS)]
    assert sorted(ids) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_two_lines_on_one_day_are_one_basket(warehouse: Warehouse) -> None:
    first = found(warehouse.full, names.CUSTOMERS, CUSTOMER_ID=1)
    assert (first["ORDER_COUNT"], first["BASKET_COUNT"]) == (5, 4)
    assert first["LIFETIME_VALUE"] == Decimal("196.90")
    assert first["AVG_BASKET_VALUE"] == Decimal("49.23")
    day = found(warehouse.full, names.BASKET_STATISTICS, ORDER_DATE=date(2025, 6, 2))
    assert (day["BASKET_COUNT"], day["AVG_BASKET_VALUE"]) == (2, Decimal("72.95"))
    assert (day["AVG_LINES"], day["MULTI_LINE_SHARE"]) == (Decimal("1.5"), Decimal("0.5"))


def test_half_a_cent_is_rounded_up(warehouse: Warehouse) -> None:
    """10.10 and 42.00 + 18.95 on one day: two baskets, 71.05, of 35.525 each."""
    day = found(warehouse.full, names.BASKET_STATISTICS, ORDER_DATE=date(2025, 7, 27))
    assert (day["BASKET_COUNT"], day["AVG_BASKET_VALUE"]) == (2, Decimal("35.53"))
    assert day["MEDIAN_BASKET_VALUE"] == Decimal("35.53")


def test_equal_customers_score_equally(warehouse: Warehouse) -> None:
    third, fourth = (found(warehouse.full, names.CUSTOMERS, CUSTOMER_ID=number) for number in (3, 4))
    assert third["RFM_SCORE"] == fourth["RFM_SCORE"]
    assert third["SEGMENT"] == fourth["SEGMENT"]


def test_an_order_from_the_future_is_not_the_day_that_recency_counts_from(warehouse: Warehouse) -> None:
    future = found(warehouse.full, names.CUSTOMERS, CUSTOMER_ID=8)
    assert (future["AS_OF_DATE"], future["RECENCY_DAYS"]) == (date(2025, 7, 28), 0)


def test_a_product_that_was_never_sold_is_there_with_nothing(warehouse: Warehouse) -> None:
    unsold = found(warehouse.full, names.SALES_BY_PRODUCT, PRODUCT_ID=107)
    assert (unsold["ORDER_COUNT"], unsold["REVENUE"], unsold["REVENUE_SHARE"]) == (0, 0, 0)
    assert unsold["AVG_ORDER_VALUE"] is None
    cover = found(warehouse.full, names.STOCK_COVER, PRODUCT_ID=107)
    assert (cover["STOCK_LEVEL"], cover["BOTTLES_SOLD"]) == (300, 0)
    assert (cover["DAYS_OF_COVER"], cover["RUN_OUT_DATE"]) == (None, None)


def test_cover_is_the_level_over_the_daily_sale(warehouse: Warehouse) -> None:
    """Product 105: 24 bottles, 14 sold within 28 days: 48 days, the last of them 14 September."""
    cover = found(warehouse.full, names.STOCK_COVER, PRODUCT_ID=105)
    assert (cover["WINDOW_DAYS"], cover["BOTTLES_SOLD"], cover["AVG_DAILY_SALE"]) == (28, 14, Decimal("0.5"))
    assert (cover["DAYS_OF_COVER"], cover["RUN_OUT_DATE"]) == (48, date(2025, 9, 14))


def test_the_balance_follows_the_events_and_not_their_arrival(warehouse: Warehouse) -> None:
    ledger = [found(warehouse.full, names.STOCK_LEDGER, ADJUSTMENT_ID=key) for key in ("m01", "m02", "m03")]
    assert [row["RUNNING_BALANCE"] for row in ledger] == [60, 55, 48]
    ties = [found(warehouse.full, names.STOCK_LEDGER, ADJUSTMENT_ID=key) for key in ("m05", "m04")]
    assert [row["RUNNING_BALANCE"] for row in ties] == [-3, 9]


def test_the_last_balance_is_the_level(warehouse: Warehouse) -> None:
    """Invariant 5, seen through the views."""
    ledger = sorted(warehouse.full.rows(names.STOCK_LEDGER), key=lambda row: row[9])
    levels = {(row[3], row[6]): row[11] for row in ledger}
    assert levels == warehouse.full.known.levels


def test_shelves_are_low_below_24_and_critical_below_10(warehouse: Warehouse) -> None:
    low = {(row[0], row[1]): row[5] for row in warehouse.full.rows(names.LOW_STOCK)}
    assert low == {
        (101, "LYON"): "CRITICAL",
        (102, "PARIS"): "LOW",
        (102, "LYON"): "CRITICAL",
        (103, "DIJON"): "CRITICAL",
        (104, "PARIS"): "LOW",
        (108, "LYON"): "CRITICAL",
    }


def test_shares_add_up_to_one(warehouse: Warehouse) -> None:
    for view in (names.SALES_BY_PRODUCT, names.SALES_BY_CATEGORY, names.SALES_BY_CHANNEL):
        place = warehouse.full.columns(view).index("REVENUE_SHARE")
        total = sum(row[place] for row in warehouse.full.rows(view))
        assert abs(total - 1) < Decimal("0.00001"), view


def test_a_rejection_after_midnight_in_paris_is_of_the_next_day(warehouse: Warehouse) -> None:
    row = found(warehouse.full, names.DATA_QUALITY, PROCESSED_DATE=date(2025, 8, 2), QUALITY_ISSUE="REJECTED")
    assert row["EVENT_COUNT"] == 1


def test_freshness_counts_from_the_time_written_to_now(warehouse: Warehouse) -> None:
    row = found(warehouse.full, names.PIPELINE_FRESHNESS, TABLE_NAME="INVENTORY_HISTORY")
    assert row["LAST_WRITTEN_AT"] == datetime(2025, 8, 2, 8, 0)
    between = row["LAST_WRITTEN_AT"] - row["LAST_EVENT_AT"]
    assert row["SECONDS_SINCE_EVENT"] - row["SECONDS_SINCE_WRITE"] == int(between.total_seconds())
    assert row["SECONDS_SINCE_WRITE"] > 0


def test_a_redeployment_keeps_the_comments(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "SELECT TABLE_NAME, COMMENT FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = 'ANALYTICS'"
    )
    assert {f"ANALYTICS.{name}" for name, comment in rows if "Grain: " in comment} == set(names.VIEWS)
