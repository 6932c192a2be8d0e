"""MERGE_ORDERS: one production row per order, with the values of its latest version."""

from decimal import Decimal
from typing import Any

import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException

from caves_snowpark import names
from procedures import merge_orders
from tests.unit.local_warehouse import LocalWarehouse
from tests.unit.staged import EARLY, LATER, staged_order


def tick(warehouse: LocalWarehouse, *orders: dict[str, Any]) -> dict[str, Any]:
    warehouse.insert(names.STG_ORDERS, *orders)
    return warehouse.run(merge_orders)


def test_new_orders_are_inserted(warehouse: LocalWarehouse) -> None:
    counts = tick(warehouse, staged_order(0), staged_order(1, ORDER_ID="order-2"))
    assert counts == {"read": 2, "inserted": 2, "updated": 0}
    assert warehouse.rows(names.ORDERS, "ORDER_ID", "TOTAL_AMOUNT", "SOURCE_OFFSET") == [
        ("order-1", Decimal("59.97"), 0),
        ("order-2", Decimal("59.97"), 1),
    ]


def test_versions_in_one_batch_are_reduced_to_the_latest_before_the_merge(
    warehouse: LocalWarehouse,
) -> None:
    """PITFALL 9: two would both be inserted, and a matched pair would fail forever (100090)."""
    counts = tick(warehouse, staged_order(0, QUANTITY=1), staged_order(1, QUANTITY=2))
    assert counts == {"read": 2, "inserted": 1, "updated": 0}
    pair = staged_order(2, QUANTITY=3, EVENT_TIMESTAMP=LATER), staged_order(3, QUANTITY=4)
    assert tick(warehouse, *pair) == {"read": 2, "inserted": 0, "updated": 1}
    assert warehouse.rows(names.ORDERS, "QUANTITY") == [(3,)]


def test_a_later_version_replaces_every_column(warehouse: LocalWarehouse) -> None:
    """PITFALL 10: an update that sets three columns of twelve."""
    tick(warehouse, staged_order(0, SALES_CHANNEL="WEB"))
    [(created,)] = warehouse.rows(names.ORDERS, "CREATED_AT")
    correction = {
        "CUSTOMER_ID": 777,
        "PRODUCT_ID": 1002,
        "PRODUCT_NAME": "Chablis",
        "PRODUCT_CATEGORY": "Blanc",
        "QUANTITY": 1,
        "UNIT_PRICE": Decimal("10.00"),
        "DISCOUNT": Decimal("1.00"),
        "TOTAL_AMOUNT": Decimal("9.00"),
        "SALES_CHANNEL": None,
        "PAYMENT_METHOD": "CARD",
        "SHIPPING_ADDRESS": "Lyon",
        "BOTTLE_SIZE_L": Decimal("1.500"),
    }
    counts = tick(warehouse, staged_order(1, EVENT_TIMESTAMP=LATER, **correction))
    assert counts == {"read": 1, "inserted": 0, "updated": 1}
    [row] = warehouse.session.table(names.ORDERS).collect()
    assert {name: row[name] for name in correction} == correction
    assert (row["ORDER_TIMESTAMP"], row["ORDER_DATE"], row["SOURCE_OFFSET"]) == (LATER, LATER.date(), 1)
    assert row["CREATED_AT"] == created
    assert row["UPDATED_AT"] >= created


def test_an_older_version_never_overwrites_a_newer_one(warehouse: LocalWarehouse) -> None:
    """PITFALL 10."""
    tick(warehouse, staged_order(0, QUANTITY=1))
    before = warehouse.rows(names.ORDERS)
    late = staged_order(1, QUANTITY=2, EVENT_TIMESTAMP=EARLY)
    assert tick(warehouse, late) == {"read": 1, "inserted": 0, "updated": 0}
    assert warehouse.rows(names.ORDERS) == before


@pytest.mark.parametrize(
    ("coordinates", "updated"),
    [
        ({"SOURCE_OFFSET": 6}, 1),
        ({"SOURCE_OFFSET": 4, "SOURCE_PARTITION": 9}, 0),
        ({"SOURCE_PARTITION": 4}, 1),
        ({"SOURCE_PARTITION": 2, "SOURCE_TOPIC": "z"}, 0),
        ({"SOURCE_TOPIC": "z"}, 1),
        ({"SOURCE_TOPIC": "a"}, 0),
        ({"SOURCE_OFFSET": None}, 0),
        ({}, 0),
    ],
)
def test_a_tie_on_time_goes_to_the_later_offset_then_partition_then_topic(
    warehouse: LocalWarehouse, coordinates: dict[str, Any], updated: int
) -> None:
    place = {"SOURCE_OFFSET": 5, "SOURCE_PARTITION": 3}
    tick(warehouse, staged_order(0, QUANTITY=1, **place))
    counts = tick(warehouse, staged_order(1, QUANTITY=2, **(place | coordinates)))
    assert counts == {"read": 1, "inserted": 0, "updated": updated}
    assert warehouse.rows(names.ORDERS, "QUANTITY") == [(1 + updated,)]


def test_a_rerun_changes_nothing(warehouse: LocalWarehouse) -> None:
    tick(warehouse, staged_order(0))
    before = warehouse.rows(names.ORDERS)
    assert warehouse.run(merge_orders) == {"read": 0, "inserted": 0, "updated": 0}
    assert warehouse.rows(names.ORDERS) == before


def test_a_failed_commit_leaves_the_backlog_for_the_next_run(warehouse: LocalWarehouse) -> None:
    """PITFALL 14 and 18: what a failed child did not take is still there for it."""
    warehouse.insert(names.STG_ORDERS, staged_order(0))
    warehouse.failing = "COMMIT"
    with pytest.raises(SnowparkSQLException):
        warehouse.run(merge_orders)
    assert warehouse.statements[-1] == "ROLLBACK"
    assert warehouse.count(names.ORDERS) == 0
    warehouse.failing = None
    assert warehouse.run(merge_orders) == {"read": 1, "inserted": 1, "updated": 0}
