"""Rows of STAGING, written out: what the procedures that read staging are fed with."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

EARLY: Final = datetime(2025, 7, 1, 10, 0)
NOON: Final = datetime(2025, 7, 1, 12, 0)
LATER: Final = datetime(2025, 7, 1, 13, 0)

_COMMON: Final[dict[str, Any]] = {
    "EVENT_TIMESTAMP": NOON,
    "PRODUCT_ID": 1001,
    "SOURCE_TOPIC": "sales_events",
    "SOURCE_PARTITION": 0,
    "SOURCE_OFFSET": 0,
    "STAGED_AT": NOON,
    "METADATA$ACTION": "INSERT",
    "METADATA$ISUPDATE": False,
}


def staged_order(offset: int, **changes: Any) -> dict[str, Any]:
    """A row of STAGING.STG_ORDERS, or of its stream."""
    order: dict[str, Any] = {
        "ORDER_ID": "order-1",
        "CUSTOMER_ID": 501,
        "QUANTITY": 3,
        "UNIT_PRICE": Decimal("19.99"),
        "TOTAL_AMOUNT": Decimal("59.97"),
    }
    return _COMMON | order | _delivered(offset) | changes


def staged_adjustment(offset: int, **changes: Any) -> dict[str, Any]:
    """A row of STAGING.STG_INVENTORY_ADJUSTMENTS, or of its streams."""
    adjustment: dict[str, Any] = {
        "ADJUSTMENT_ID": "adjustment-1",
        "WAREHOUSE_LOCATION": "PARIS",
        "QUANTITY_CHANGE": 12,
        "ADJUSTMENT_TYPE": "REPLENISHMENT",
    }
    return _COMMON | adjustment | _delivered(offset) | changes


def _delivered(offset: int) -> dict[str, Any]:
    return {"SOURCE_OFFSET": offset, "CONTENT_HASH": f"hash-{offset}"}
