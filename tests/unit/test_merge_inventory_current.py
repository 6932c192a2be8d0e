"""MERGE_INVENTORY_CURRENT: the stock of a product at a location is the sum of its history there, always."""

from collections import Counter
from typing import Any

from caves_snowpark import names
from procedures import append_inventory_history, merge_inventory_current
from tests.unit.local_warehouse import LocalWarehouse
from tests.unit.staged import EARLY, LATER, NOON, staged_adjustment

Stock = dict[tuple[int, str], int]


def tick(warehouse: LocalWarehouse, *adjustments: dict[str, Any]) -> dict[str, Any]:
    warehouse.insert(names.STG_INVENTORY_ADJUSTMENTS, *adjustments)
    warehouse.run(append_inventory_history)
    counts = warehouse.run(merge_inventory_current)
    assert stock(warehouse) == history(warehouse)
    return counts


def stock(warehouse: LocalWarehouse) -> Stock:
    columns = ("PRODUCT_ID", "WAREHOUSE_LOCATION", "CURRENT_STOCK_LEVEL")
    rows = warehouse.rows(names.INVENTORY_CURRENT, *columns)
    assert len({row[:2] for row in rows}) == len(rows)
    return {(int(product), place): int(level) for product, place, level in rows if level}


def history(warehouse: LocalWarehouse) -> Stock:
    """Invariant 5, from the other table."""
    total: Counter[tuple[int, str]] = Counter()
    columns = ("PRODUCT_ID", "WAREHOUSE_LOCATION", "QUANTITY_CHANGE")
    for product, place, change in warehouse.rows(names.INVENTORY_HISTORY, *columns):
        total[int(product), place] += int(change)
    return {key: level for key, level in total.items() if level}


def test_stock_is_kept_by_product_and_location(warehouse: LocalWarehouse) -> None:
    """PITFALL 3 and 4."""
    counts = tick(
        warehouse,
        staged_adjustment(0, ADJUSTMENT_ID="a", QUANTITY_CHANGE=10),
        staged_adjustment(1, ADJUSTMENT_ID="b", QUANTITY_CHANGE=-3),
        staged_adjustment(2, ADJUSTMENT_ID="c", QUANTITY_CHANGE=7, WAREHOUSE_LOCATION="LYON"),
        staged_adjustment(3, ADJUSTMENT_ID="d", QUANTITY_CHANGE=2, PRODUCT_ID=1002),
    )
    assert counts == {"inserted": 3, "updated": 0}
    assert stock(warehouse) == {(1001, "PARIS"): 7, (1001, "LYON"): 7, (1002, "PARIS"): 2}
    sold = staged_adjustment(4, ADJUSTMENT_ID="e", QUANTITY_CHANGE=-7)
    assert tick(warehouse, sold) == {"inserted": 0, "updated": 1}
    assert stock(warehouse) == {(1001, "LYON"): 7, (1002, "PARIS"): 2}


def test_a_rerun_and_a_content_staged_twice_leave_stock_alone(warehouse: LocalWarehouse) -> None:
    """PITFALL 11."""
    tick(warehouse, staged_adjustment(0))
    assert tick(warehouse) == {"inserted": 0, "updated": 0}
    assert tick(warehouse, staged_adjustment(1, CONTENT_HASH="hash-0")) == {"inserted": 0, "updated": 0}
    assert stock(warehouse) == {(1001, "PARIS"): 12}


def test_a_correction_that_moves_an_adjustment_moves_its_stock_and_back(warehouse: LocalWarehouse) -> None:
    """PITFALL 4 and 17."""
    other = staged_adjustment(1, ADJUSTMENT_ID="other", QUANTITY_CHANGE=5)
    tick(warehouse, staged_adjustment(0, EVENT_TIMESTAMP=EARLY), other)
    tick(warehouse, staged_adjustment(2, QUANTITY_CHANGE=10, WAREHOUSE_LOCATION="LYON"))
    assert stock(warehouse) == {(1001, "PARIS"): 5, (1001, "LYON"): 10}
    tick(warehouse, staged_adjustment(3, QUANTITY_CHANGE=9, EVENT_TIMESTAMP=LATER))
    assert stock(warehouse) == {(1001, "PARIS"): 14}


def test_a_late_version_leaves_stock_alone(warehouse: LocalWarehouse) -> None:
    """PITFALL 10."""
    tick(warehouse, staged_adjustment(0))
    late = {"QUANTITY_CHANGE": 99, "WAREHOUSE_LOCATION": "LYON", "EVENT_TIMESTAMP": EARLY}
    tick(warehouse, staged_adjustment(1, **late))
    assert stock(warehouse) == {(1001, "PARIS"): 12}


def test_versions_that_waited_together_count_once(warehouse: LocalWarehouse) -> None:
    """PITFALL 9 and 14: the child ran late, and its stream holds versions from several ticks."""
    tick(
        warehouse,
        staged_adjustment(0, QUANTITY_CHANGE=1, EVENT_TIMESTAMP=EARLY),
        staged_adjustment(1, QUANTITY_CHANGE=3, EVENT_TIMESTAMP=LATER),
        staged_adjustment(2, QUANTITY_CHANGE=2),
    )
    assert stock(warehouse) == {(1001, "PARIS"): 3}


def test_names_follow_the_latest_event_and_time_only_grows(warehouse: LocalWarehouse) -> None:
    tick(warehouse, staged_adjustment(0, PRODUCT_NAME="New", PRODUCT_CATEGORY="Rouge"))
    older = {"ADJUSTMENT_ID": "b", "PRODUCT_NAME": "Old", "EVENT_TIMESTAMP": EARLY}
    tick(warehouse, staged_adjustment(1, **older))
    columns = ("PRODUCT_NAME", "PRODUCT_CATEGORY", "CURRENT_STOCK_LEVEL", "LAST_ADJUSTMENT_TIMESTAMP")
    assert warehouse.rows(names.INVENTORY_CURRENT, *columns) == [("New", "Rouge", 24, NOON)]
    newest = {"ADJUSTMENT_ID": "c", "PRODUCT_NAME": "Newest", "EVENT_TIMESTAMP": LATER, "QUANTITY_CHANGE": -1}
    tick(warehouse, staged_adjustment(2, **newest))
    assert warehouse.rows(names.INVENTORY_CURRENT, *columns) == [("Newest", None, 23, LATER)]
