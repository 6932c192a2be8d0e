"""DISTRIBUTE_RAW_EVENTS: every new raw event goes to exactly one table of STAGING."""

import pytest
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException

from caves_snowpark import names
from caves_snowpark.loads import UnaccountedEventsError
from caves_snowpark.staging import placed_events
from procedures import distribute_raw_events
from tests.events import MALFORMED, adjustment, message, order
from tests.unit.local_warehouse import LocalWarehouse

DESTINATIONS = (
    names.STG_ORDERS,
    names.STG_INVENTORY_ADJUSTMENTS,
    names.REJECTED_EVENTS,
    names.DUPLICATE_EVENTS,
)


_VALID = F.col("DESTINATION") != F.lit(names.REJECTED_EVENTS)


def offsets(warehouse: LocalWarehouse, table: str) -> list[int]:
    return sorted(int(offset) for (offset,) in warehouse.rows(table, "SOURCE_OFFSET"))


def test_every_event_gets_one_place(warehouse: LocalWarehouse) -> None:
    """PITFALL 12."""
    warehouse.ingest(order(), adjustment(), order(), order(quantity=0), *MALFORMED)
    rejected = 1 + len(MALFORMED)
    assert warehouse.run(distribute_raw_events) == {
        "read": 3 + rejected,
        "duplicates": 1,
        "orders": 1,
        "adjustments": 1,
        "rejected": rejected,
    }
    assert offsets(warehouse, names.STG_ORDERS) == [0]
    assert offsets(warehouse, names.STG_INVENTORY_ADJUSTMENTS) == [1]
    assert offsets(warehouse, names.DUPLICATE_EVENTS) == [2]
    assert offsets(warehouse, names.REJECTED_EVENTS) == list(range(3, 3 + rejected))


def test_an_empty_stream_writes_nothing(warehouse: LocalWarehouse) -> None:
    counts = warehouse.run(distribute_raw_events)
    assert counts == {"read": 0, "duplicates": 0, "orders": 0, "adjustments": 0, "rejected": 0}


def test_a_redelivery_in_a_later_tick_is_a_duplicate_and_a_new_version_is_staged(
    warehouse: LocalWarehouse,
) -> None:
    """PITFALL 9 and 22."""
    warehouse.ingest(order(), adjustment())
    warehouse.run(distribute_raw_events)
    warehouse.ingest(order(), order(quantity=9), adjustment())
    counts = warehouse.run(distribute_raw_events)
    assert counts == {"read": 3, "duplicates": 2, "orders": 1, "adjustments": 0, "rejected": 0}
    assert offsets(warehouse, names.STG_ORDERS) == [0, 3]
    assert warehouse.rows(names.DUPLICATE_EVENTS, "EVENT_TYPE", "EVENT_KEY") == [
        ("INVENTORY_ADJUSTED", "adjustment-1"),
        ("ORDER_CREATED", "order-1"),
    ]


def test_one_raw_row_loaded_twice_is_staged_once(warehouse: LocalWarehouse) -> None:
    """PITFALL 20: the same message with the same coordinates."""
    warehouse.ingest(message(order(), 5), message(order(), 5))
    counts = warehouse.run(distribute_raw_events)
    assert (counts["orders"], counts["duplicates"]) == (1, 1)


def test_a_second_run_finds_nothing(warehouse: LocalWarehouse) -> None:
    warehouse.ingest(order(), None)
    warehouse.run(distribute_raw_events)
    before = {table: warehouse.rows(table) for table in DESTINATIONS}
    assert warehouse.run(distribute_raw_events)["read"] == 0
    assert {table: warehouse.rows(table) for table in DESTINATIONS} == before


@pytest.mark.parametrize("statement", ["INSERT ALL ", "COMMIT"])
def test_a_failure_keeps_nothing_and_loses_nothing(warehouse: LocalWarehouse, statement: str) -> None:
    """PITFALL 18: one transaction around all reads of the stream and all writes."""
    warehouse.ingest(order(), adjustment(), order(), b"{")
    warehouse.failing = statement
    with pytest.raises(SnowparkSQLException, match="made to fail"):
        warehouse.run(distribute_raw_events)
    assert warehouse.statements[0] == "BEGIN"
    assert warehouse.statements[-1] == "ROLLBACK"
    assert [warehouse.count(each) for each in DESTINATIONS] == [0, 0, 0, 0]
    warehouse.failing = None
    assert warehouse.run(distribute_raw_events)["read"] == 4
    assert [warehouse.count(each) for each in DESTINATIONS] == [1, 1, 1, 1]


def test_events_that_would_go_nowhere_stop_the_batch(
    warehouse: LocalWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PITFALL 12, shown to fire: a transform that drops rows is found out before the commit."""
    monkeypatch.setattr(
        distribute_raw_events, "placed_events", lambda *given: placed_events(*given).filter(_VALID)
    )
    warehouse.ingest(order(), order(quantity=0))
    with pytest.raises(UnaccountedEventsError, match="Read 2 events but wrote 1 rows"):
        warehouse.run(distribute_raw_events)
    assert [warehouse.count(each) for each in DESTINATIONS] == [0, 0, 0, 0]
