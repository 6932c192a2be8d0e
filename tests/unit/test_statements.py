"""The statements that each procedure sends to Snowflake: how many, and of which kinds."""

import re
from types import ModuleType

import pytest

from caves_snowpark import names
from caves_snowpark.loads import UnaccountedEventsError
from procedures import (
    append_inventory_history,
    dismiss_rejected,
    distribute_raw_events,
    merge_inventory_current,
    merge_orders,
    pipeline_health,
    replay_rejected,
)
from tests.unit.recording import RecordingConnection, recording_session

RETURN_VALUE = "CALL SYSTEM$SET_RETURN_VALUE"
EXPECTED = {
    distribute_raw_events: [
        "BEGIN",
        # How many there are, and who was erased.
        "( SELECT 'rows'",
        "INSERT ALL WHEN DESTINATION = ",
        "COMMIT",
        RETURN_VALUE,
    ],
    merge_orders: [
        "BEGIN",
        # How many there are, and who was erased.
        "( SELECT 'rows'",
        f"MERGE INTO {names.ORDERS}",
        "COMMIT",
        RETURN_VALUE,
    ],
    append_inventory_history: [
        "BEGIN",
        "SELECT",
        f"MERGE INTO {names.INVENTORY_HISTORY}",
        "COMMIT",
        RETURN_VALUE,
    ],
    merge_inventory_current: [f"MERGE INTO {names.INVENTORY_CURRENT}", RETURN_VALUE],
    replay_rejected: [
        "BEGIN",
        "SELECT",
        f"UPDATE {names.REJECTED_EVENTS}",
        "INSERT ALL WHEN DESTINATION = ",
        f"INSERT INTO {names.REPLAY_LOG}",
        "SELECT",
        "COMMIT",
    ],
    dismiss_rejected: [
        "BEGIN",
        f"UPDATE {names.REJECTED_EVENTS}",
        f"INSERT INTO {names.REPLAY_LOG}",
        "COMMIT",
    ],
}
ARGUMENTS = {dismiss_rejected: ("NOT_JSON_OBJECT", "a probe of ours")}
# How often Snowpark asks about columns while a procedure puts its statements together: each is a round trip.
# Its `reduce_describe_query_enabled` would save most of them, but it is said not to be for production.
DESCRIBED = {
    distribute_raw_events: 17,
    merge_orders: 8,
    append_inventory_history: 4,
    merge_inventory_current: 14,
    replay_rejected: 23,
    dismiss_rejected: 1,
}


def recorded(procedure: ModuleType) -> RecordingConnection:
    session, connection = recording_session()
    procedure.main(session, *ARGUMENTS.get(procedure, ()))
    return connection


@pytest.mark.parametrize("procedure", EXPECTED, ids=lambda procedure: procedure.__name__)
def test_a_procedure_sends_few_statements_and_no_ddl(procedure: ModuleType) -> None:
    """PITFALL 18 and 19: nothing creates a table, and every write stands inside the transaction."""
    connection = recorded(procedure)
    plain = [re.sub(r"\s+", " ", statement).strip() for statement in connection.statements]
    expected = EXPECTED[procedure]
    assert len(plain) == len(expected)
    assert all(sent.startswith(start) for sent, start in zip(plain, expected, strict=True))
    assert len(connection.described) <= DESCRIBED[procedure]


@pytest.mark.parametrize("procedure", EXPECTED, ids=lambda procedure: procedure.__name__)
def test_a_procedure_sends_the_same_text_every_time(procedure: ModuleType) -> None:
    """A warehouse that keeps compiled statements by their text finds them again."""
    timeless = [
        [re.sub(r"TIMESTAMP '[^']+'|r_\d+_", "", statement) for statement in recorded(procedure).statements]
        for _ in range(2)
    ]
    assert timeless[0] == timeless[1]


def test_health_is_one_select() -> None:
    session, connection = recording_session()
    connection.answer = ("tables", names.ORDERS, 0, None, None)
    pipeline_health.main(session)
    [statement] = connection.statements
    assert statement.count("UNION ALL") == len(names.TABLES) + len(names.STREAMS) + 2


def test_a_batch_that_does_not_add_up_is_rolled_back() -> None:
    session, connection = recording_session(answer=(1, 1, 1))
    with pytest.raises(UnaccountedEventsError):
        distribute_raw_events.main(session)
    assert connection.statements[-1] == "ROLLBACK"
    assert "COMMIT" not in connection.statements
