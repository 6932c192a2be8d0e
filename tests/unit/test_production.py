"""Transforms from STAGING to PRODUCTION."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark.types import BooleanType, StringType, StructField, StructType

from caves_snowpark import schemas
from caves_snowpark.production import latest_adjustments, latest_orders, stock_by_location
from tests.unit.staged import LATER, NOON, staged_adjustment, staged_order

Frame = Callable[..., DataFrame]


def changes_of(schema: StructType) -> StructType:
    metadata = [StructField("METADATA$ACTION", StringType()), StructField("METADATA$ISUPDATE", BooleanType())]
    return StructType([*schema.fields, *metadata])


@pytest.fixture
def orders(session: Session) -> Frame:
    """Makes stream rows of staged orders: a dictionary of changes each, at offsets 0, 1, 2, ..."""

    def frame(*changes: dict[str, Any]) -> DataFrame:
        return _frame(session, changes_of(schemas.STG_ORDERS), _each(staged_order, changes))

    return frame


@pytest.fixture
def adjustments(session: Session) -> Frame:
    """Makes stream rows of staged adjustments: a dictionary of changes each, at offsets 0, 1, 2, ..."""

    def frame(*changes: dict[str, Any]) -> DataFrame:
        schema = changes_of(schemas.STG_INVENTORY_ADJUSTMENTS)
        return _frame(session, schema, _each(staged_adjustment, changes))

    return frame


@pytest.fixture
def staged(session: Session) -> Frame:
    """Makes rows of STAGING.STG_INVENTORY_ADJUSTMENTS."""

    def frame(*changes: dict[str, Any]) -> DataFrame:
        return _frame(session, schemas.STG_INVENTORY_ADJUSTMENTS, _each(staged_adjustment, changes))

    return frame


def _frame(session: Session, schema: StructType, rows: Iterable[dict[str, Any]]) -> DataFrame:
    columns = [field.name.strip('"') for field in schema.fields]
    return session.create_dataframe([tuple(row.get(name) for name in columns) for row in rows], schema=schema)


def _each(make: Callable[..., dict[str, Any]], changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each dictionary of changes, at offsets 0, 1, 2, ..."""
    return [make(offset, **change) for offset, change in enumerate(changes)]


def column(rows: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in rows.select(*names).collect()), key=repr)


def test_no_changes_give_no_rows(orders: Frame, adjustments: Frame, staged: Frame) -> None:
    assert latest_orders(orders()).collect() == []
    assert latest_adjustments(adjustments()).collect() == []
    assert stock_by_location(adjustments(), staged()).collect() == []


def test_an_order_row_has_every_value_of_its_version(orders: Frame) -> None:
    """PITFALL 5 and 10."""
    full = {
        "PRODUCT_NAME": "Pauillac",
        "PRODUCT_CATEGORY": "Rouge",
        "DISCOUNT": Decimal("1.00"),
        "SALES_CHANNEL": "WEB",
        "PAYMENT_METHOD": "CARD",
        "SHIPPING_ADDRESS": "Lyon",
        "BOTTLE_SIZE_L": Decimal("1.500"),
    }
    [row] = latest_orders(orders(full)).collect()
    assert list(row.as_dict()) == schemas.columns(schemas.ORDERS)
    assert row.as_dict() == full | {
        "ORDER_ID": "order-1",
        "ORDER_DATE": date(2025, 7, 1),
        "ORDER_TIMESTAMP": NOON,
        "CUSTOMER_ID": 501,
        "PRODUCT_ID": 1001,
        "QUANTITY": 3,
        "UNIT_PRICE": Decimal("19.99"),
        "TOTAL_AMOUNT": Decimal("59.97"),
        "CREATED_AT": row["CREATED_AT"],
        "UPDATED_AT": row["UPDATED_AT"],
        "SOURCE_TOPIC": "sales_events",
        "SOURCE_PARTITION": 0,
        "SOURCE_OFFSET": 0,
    }


def test_the_business_date_is_the_day_in_paris(orders: Frame, adjustments: Frame) -> None:
    """PITFALL 6: 23:30 in Paris stays on its day, summer and winter."""
    times = {
        "summer-before": (datetime(2025, 7, 1, 21, 59, 59), date(2025, 7, 1)),
        "summer-after": (datetime(2025, 7, 1, 22, 0), date(2025, 7, 2)),
        "winter-before": (datetime(2025, 1, 1, 22, 59, 59), date(2025, 1, 1)),
        "winter-after": (datetime(2025, 1, 1, 23, 0), date(2025, 1, 2)),
        "year-end": (datetime(2024, 12, 31, 23, 30), date(2025, 1, 1)),
    }
    rows = orders(*({"ORDER_ID": name, "EVENT_TIMESTAMP": time} for name, (time, _) in times.items()))
    expected = sorted((name, day) for name, (_, day) in times.items())
    assert column(latest_orders(rows), "ORDER_ID", "ORDER_DATE") == expected
    rows = adjustments(
        *({"ADJUSTMENT_ID": name, "EVENT_TIMESTAMP": time} for name, (time, _) in times.items())
    )
    assert column(latest_adjustments(rows), "ADJUSTMENT_ID", "ADJUSTMENT_DATE") == expected


def test_the_latest_event_time_wins_whatever_the_arrival(orders: Frame) -> None:
    """PITFALL 2 and 9."""
    rows = orders(
        {"QUANTITY": 1, "EVENT_TIMESTAMP": LATER},
        {"QUANTITY": 2},
        {"ORDER_ID": "order-2", "QUANTITY": 3},
        {"ORDER_ID": "order-2", "QUANTITY": 4, "EVENT_TIMESTAMP": LATER},
    )
    assert column(latest_orders(rows), "ORDER_ID", "QUANTITY") == [("order-1", 1), ("order-2", 4)]


def test_a_tie_on_time_goes_to_the_later_offset_then_partition_then_topic(orders: Frame) -> None:
    rows = orders(
        {"ORDER_ID": "offset", "QUANTITY": 1, "SOURCE_OFFSET": 8},
        {"ORDER_ID": "offset", "QUANTITY": 2, "SOURCE_OFFSET": 9},
        {"ORDER_ID": "partition", "QUANTITY": 3, "SOURCE_OFFSET": 8, "SOURCE_PARTITION": 2},
        {"ORDER_ID": "partition", "QUANTITY": 4, "SOURCE_OFFSET": 8, "SOURCE_PARTITION": 1},
        {"ORDER_ID": "topic", "QUANTITY": 5, "SOURCE_OFFSET": 8, "SOURCE_TOPIC": "a"},
        {"ORDER_ID": "topic", "QUANTITY": 6, "SOURCE_OFFSET": 8, "SOURCE_TOPIC": "b"},
        {"ORDER_ID": "unknown", "QUANTITY": 7, "SOURCE_OFFSET": None},
        {"ORDER_ID": "unknown", "QUANTITY": 8, "SOURCE_OFFSET": 0},
    )
    winners = column(latest_orders(rows), "ORDER_ID", "QUANTITY")
    assert winners == [("offset", 2), ("partition", 3), ("topic", 6), ("unknown", 8)]


def test_an_update_in_the_stream_counts_by_its_new_image(orders: Frame) -> None:
    """PITFALL 17: a filter on ISUPDATE would throw the correction away."""
    rows = orders(
        {"QUANTITY": 1, "METADATA$ACTION": "DELETE", "METADATA$ISUPDATE": True},
        {"QUANTITY": 2, "METADATA$ISUPDATE": True},
        {"ORDER_ID": "purged", "METADATA$ACTION": "DELETE"},
    )
    assert column(latest_orders(rows), "ORDER_ID", "QUANTITY") == [("order-1", 2)]


def test_a_history_row_has_every_value_of_its_version(adjustments: Frame) -> None:
    full = {"PRODUCT_NAME": "Chablis", "PRODUCT_CATEGORY": "Blanc", "REASON": "livraison"}
    [row] = latest_adjustments(adjustments(full, full | {"QUANTITY_CHANGE": 13})).collect()
    assert list(row.as_dict()) == schemas.columns(schemas.INVENTORY_HISTORY)
    assert row.as_dict() == full | {
        "ADJUSTMENT_ID": "adjustment-1",
        "ADJUSTMENT_DATE": date(2025, 7, 1),
        "ADJUSTMENT_TIMESTAMP": NOON,
        "PRODUCT_ID": 1001,
        "WAREHOUSE_LOCATION": "PARIS",
        "QUANTITY_CHANGE": 13,
        "ADJUSTMENT_TYPE": "REPLENISHMENT",
        "CREATED_AT": row["CREATED_AT"],
        "UPDATED_AT": row["UPDATED_AT"],
        "SOURCE_TOPIC": "sales_events",
        "SOURCE_PARTITION": 0,
        "SOURCE_OFFSET": 1,
    }


STOCK = ("PRODUCT_ID", "WAREHOUSE_LOCATION", "CURRENT_STOCK_LEVEL")


def test_stock_changes_add_up_by_product_and_location(adjustments: Frame, staged: Frame) -> None:
    """PITFALL 3 and 4."""
    arrived = (
        {"ADJUSTMENT_ID": "a"},
        {"ADJUSTMENT_ID": "b", "QUANTITY_CHANGE": -2},
        {"ADJUSTMENT_ID": "c", "WAREHOUSE_LOCATION": "LYON"},
        {"ADJUSTMENT_ID": "d", "PRODUCT_ID": 1002, "QUANTITY_CHANGE": 5},
    )
    changes = stock_by_location(adjustments(*arrived), staged(*arrived))
    assert list(changes.collect()[0].as_dict()) == schemas.columns(schemas.INVENTORY_CURRENT)
    assert column(changes, *STOCK) == [(1001, "LYON", 12), (1001, "PARIS", 10), (1002, "PARIS", 5)]


def test_a_correction_replaces_the_quantity_that_counted(adjustments: Frame, staged: Frame) -> None:
    old = {"SOURCE_OFFSET": 0, "CONTENT_HASH": "old"}
    new = {"SOURCE_OFFSET": 1, "CONTENT_HASH": "new", "EVENT_TIMESTAMP": LATER, "QUANTITY_CHANGE": 10}
    changes = stock_by_location(adjustments(new), staged(old, new))
    assert column(changes, *STOCK) == [(1001, "PARIS", -2)]


def test_a_correction_that_moves_an_adjustment_empties_the_old_place(
    adjustments: Frame, staged: Frame
) -> None:
    """PITFALL 4."""
    old = {"SOURCE_OFFSET": 0, "CONTENT_HASH": "old"}
    new = {"SOURCE_OFFSET": 1, "CONTENT_HASH": "new", "EVENT_TIMESTAMP": LATER, "WAREHOUSE_LOCATION": "LYON"}
    changes = stock_by_location(adjustments(new), staged(old, new))
    assert column(changes, *STOCK) == [(1001, "LYON", 12), (1001, "PARIS", -12)]


def test_a_late_version_changes_no_stock(adjustments: Frame, staged: Frame) -> None:
    """PITFALL 10: an older event does not overwrite a newer one."""
    winner = {"SOURCE_OFFSET": 0, "CONTENT_HASH": "winner", "EVENT_TIMESTAMP": LATER}
    late = {"SOURCE_OFFSET": 1, "CONTENT_HASH": "late", "WAREHOUSE_LOCATION": "LYON", "QUANTITY_CHANGE": 99}
    changes = stock_by_location(adjustments(late), staged(winner, late))
    assert column(changes, *STOCK) == [(1001, "LYON", 0), (1001, "PARIS", 0)]


def test_versions_that_arrive_together_count_once(adjustments: Frame, staged: Frame) -> None:
    """PITFALL 9."""
    arrived = ({"QUANTITY_CHANGE": 1}, {"QUANTITY_CHANGE": 2}, {"QUANTITY_CHANGE": 3})
    changes = stock_by_location(adjustments(*arrived), staged(*arrived))
    assert column(changes, *STOCK) == [(1001, "PARIS", 3)]


def test_a_version_staged_twice_by_a_race_counts_once(adjustments: Frame, staged: Frame) -> None:
    """A replay and a tick at the same moment may stage one content from two offsets."""
    first = {"SOURCE_OFFSET": 0, "CONTENT_HASH": "same"}
    second = {"SOURCE_OFFSET": 1, "CONTENT_HASH": "same"}
    changes = stock_by_location(adjustments(second), staged(first, second))
    assert column(changes, *STOCK) == [(1001, "PARIS", 0)]


def test_names_and_time_of_stock_are_those_of_the_latest_event(adjustments: Frame, staged: Frame) -> None:
    arrived = (
        {"ADJUSTMENT_ID": "a", "PRODUCT_NAME": "New", "PRODUCT_CATEGORY": "Rouge", "EVENT_TIMESTAMP": LATER},
        {"ADJUSTMENT_ID": "b", "PRODUCT_NAME": "Old", "PRODUCT_CATEGORY": "Blanc"},
    )
    changes = stock_by_location(adjustments(*arrived), staged(*arrived))
    names = ("PRODUCT_NAME", "PRODUCT_CATEGORY", "LAST_ADJUSTMENT_TIMESTAMP")
    assert column(changes, *names) == [("New", "Rouge", LATER)]
