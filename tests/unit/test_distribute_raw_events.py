"""DISTRIBUTE_RAW_EVENTS: every new raw event goes to exactly one table of STAGING."""

from caves_snowpark import names
from procedures import distribute_raw_events
from tests.events import adjustment, order
from tests.unit.local_warehouse import LocalWarehouse


def test_distributor_gives_every_event_one_place(warehouse: LocalWarehouse) -> None:
    warehouse.ingest(order(), adjustment(), order(), order(quantity=0), b"[1,2]", None)
    counts = warehouse.run(distribute_raw_events)
    assert counts == {"read": 6, "duplicates": 1, "orders": 1, "adjustments": 1, "rejected": 3}
    assert warehouse.rows(names.STG_ORDERS, "ORDER_ID", "SOURCE_OFFSET") == [("order-1", 0)]
