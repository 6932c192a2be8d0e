"""REPLAY_REJECTED: rejected events that keep today's contract are staged after all, exactly once."""

from typing import Any

import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException

from caves_snowpark import names
from procedures import distribute_raw_events, replay_rejected
from tests.events import message, order, raw_row
from tests.unit.local_warehouse import LocalWarehouse
from tests.unit.staged import NOON


def rejected(event: Any, offset: int, *reasons: str) -> dict[str, Any]:
    """An event as yesterday's contract rejected it."""
    row = raw_row(message(event, offset))
    return {
        "EVENT_TYPE": row["EVENT_TYPE"],
        "EVENT_CONTENT": row["EVENT_CONTENT"],
        "EVENT_METADATA": row["EVENT_METADATA"],
        "REASONS": list(reasons),
        "SOURCE_TOPIC": row["EVENT_METADATA"]["topic"],
        "SOURCE_PARTITION": row["EVENT_METADATA"]["partition"],
        "SOURCE_OFFSET": offset,
        "INGESTION_TIME": NOON,
        "REJECTED_AT": NOON,
    }


@pytest.fixture
def rejecting(warehouse: LocalWarehouse) -> LocalWarehouse:
    """Yesterday no quantity below 5 was allowed; today's contract takes it."""
    warehouse.insert(
        names.REJECTED_EVENTS,
        rejected(order(quantity=1), 0, "INVALID_QUANTITY"),
        rejected(order(quantity=1), 1, "INVALID_QUANTITY"),
        rejected(order(quantity=2, customer_id="nobody"), 2, "INVALID_QUANTITY", "INVALID_CUSTOMER_ID"),
        rejected(b"{", 3, "NOT_JSON_OBJECT"),
    )
    return warehouse


def test_what_is_valid_now_is_staged_once_and_its_repeat_is_a_duplicate(rejecting: LocalWarehouse) -> None:
    assert rejecting.run(replay_rejected) == {
        "read": 4,
        "replayed": 2,
        "duplicates": 1,
        "orders": 1,
        "adjustments": 0,
        "rejected": 2,
    }
    assert rejecting.rows(names.STG_ORDERS, "ORDER_ID", "QUANTITY", "SOURCE_OFFSET") == [("order-1", 1, 0)]
    assert rejecting.rows(names.DUPLICATE_EVENTS, "EVENT_KEY", "SOURCE_OFFSET") == [("order-1", 1)]
    replayed = rejecting.rows(names.REJECTED_EVENTS, "SOURCE_OFFSET", "REPLAYED_AT")
    assert [int(offset) for offset, time in replayed if time is None] == [2, 3]

    counts = rejecting.run(replay_rejected)
    assert (counts["read"], counts["replayed"], counts["rejected"]) == (2, 0, 2)
    assert rejecting.count(names.STG_ORDERS) == 1


@pytest.mark.parametrize(
    ("reason", "read", "replayed"),
    [
        (" ", 4, 2),
        (" invalid_quantity ", 3, 2),
        ("INVALID_CUSTOMER_ID", 1, 0),
        ("QUANTITY", 0, 0),
    ],
)
def test_a_reason_limits_the_replay_to_events_that_have_it(
    rejecting: LocalWarehouse, reason: str, read: int, replayed: int
) -> None:
    counts = rejecting.run(replay_rejected, reason)
    assert (counts["read"], counts["replayed"]) == (read, replayed)


def test_a_replayed_event_that_was_staged_meanwhile_is_a_duplicate(rejecting: LocalWarehouse) -> None:
    rejecting.ingest(message(order(quantity=1), 9))
    rejecting.run(distribute_raw_events)
    counts = rejecting.run(replay_rejected)
    assert (counts["replayed"], counts["orders"], counts["duplicates"]) == (2, 0, 2)


def test_a_failure_leaves_every_event_waiting(rejecting: LocalWarehouse) -> None:
    """PITFALL 18."""
    rejecting.failing = "INSERT ALL "
    with pytest.raises(SnowparkSQLException):
        rejecting.run(replay_rejected)
    assert rejecting.statements[-1] == "ROLLBACK"
    assert {time for (time,) in rejecting.rows(names.REJECTED_EVENTS, "REPLAYED_AT")} == {None}
    assert rejecting.count(names.DUPLICATE_EVENTS) == 0


def test_nothing_rejected_is_nothing_to_replay(warehouse: LocalWarehouse) -> None:
    assert set(warehouse.run(replay_rejected).values()) == {0}
