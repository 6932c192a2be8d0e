"""APPEND_INVENTORY_HISTORY: one history row per stock adjustment."""

from typing import Any

from caves_snowpark import names
from procedures import append_inventory_history
from tests.unit.local_warehouse import LocalWarehouse
from tests.unit.staged import EARLY, LATER, staged_adjustment


def tick(warehouse: LocalWarehouse, *adjustments: dict[str, Any]) -> dict[str, Any]:
    warehouse.insert(names.STG_INVENTORY_ADJUSTMENTS, *adjustments)
    return warehouse.run(append_inventory_history)


def test_each_adjustment_is_appended_once(warehouse: LocalWarehouse) -> None:
    """PITFALL 11: a second run, and a content that a race staged twice, add no row."""
    assert tick(warehouse, staged_adjustment(0)) == {"read": 1, "inserted": 1, "updated": 0}
    assert tick(warehouse) == {"read": 0, "inserted": 0, "updated": 0}
    again = staged_adjustment(0), staged_adjustment(0)
    assert tick(warehouse, *again) == {"read": 2, "inserted": 0, "updated": 0}
    assert warehouse.rows(names.INVENTORY_HISTORY, "ADJUSTMENT_ID", "QUANTITY_CHANGE") == [
        ("adjustment-1", 12)
    ]


def test_a_correction_replaces_its_row_and_a_late_version_does_not(warehouse: LocalWarehouse) -> None:
    """PITFALL 10."""
    tick(warehouse, staged_adjustment(0), staged_adjustment(1, ADJUSTMENT_ID="adjustment-2"))
    correction = {"QUANTITY_CHANGE": -5, "WAREHOUSE_LOCATION": "LYON", "EVENT_TIMESTAMP": LATER}
    assert tick(warehouse, staged_adjustment(2, **correction)) == {"read": 1, "inserted": 0, "updated": 1}
    late = staged_adjustment(3, QUANTITY_CHANGE=99, EVENT_TIMESTAMP=EARLY)
    assert tick(warehouse, late) == {"read": 1, "inserted": 0, "updated": 0}
    columns = ("ADJUSTMENT_ID", "QUANTITY_CHANGE", "WAREHOUSE_LOCATION", "SOURCE_OFFSET")
    assert warehouse.rows(names.INVENTORY_HISTORY, *columns) == [
        ("adjustment-1", -5, "LYON", 2),
        ("adjustment-2", 12, "PARIS", 1),
    ]
