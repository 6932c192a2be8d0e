"""SYSTEM$SEND_EMAIL and SYSTEM$SEND_SNOWFLAKE_NOTIFICATION: kept, shown, and sent to nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowcellar.errors import Unsupported, WarehouseError
from tests.warehouse.conftest import Query


def outbox(query: Query) -> list[dict[str, Any]]:
    return query("SELECT * FROM TABLE(INFORMATION_SCHEMA.NOTIFICATION_HISTORY())")


def test_a_mail_is_kept_as_queued_with_what_it_says(query: Query) -> None:
    query("CALL SYSTEM$SEND_EMAIL('CAVES_MAIL', 'a@example.com, b@example.com', 'It''s low', 'Order')")
    (kept,) = outbox(query)
    assert (kept["INTEGRATION_NAME"], kept["STATUS"], kept["PROCESSED"]) == ("CAVES_MAIL", "QUEUED", None)
    assert kept["MESSAGE_SOURCE"] == "NOTIFICATION_SYSTEM_SPROC"
    assert json.loads(kept["MESSAGE"]) == {
        "to": "a@example.com, b@example.com",
        "subject": "It's low",
        "text/plain": "Order",
    }


def test_a_notification_is_kept_once_for_each_integration(query: Query) -> None:
    query(
        "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION(?, ?)",
        ['{"text/plain": "low"}', '{"MAIL": {"subject": "s"}, "HOOK": {}}'],
    )
    assert {kept["INTEGRATION_NAME"]: json.loads(kept["MESSAGE"]) for kept in outbox(query)} == {
        "MAIL": {"subject": "s", "text/plain": "low"},
        "HOOK": {"text/plain": "low"},
    }


def test_what_was_sent_stays_sent_when_its_transaction_is_rolled_back(query: Query) -> None:
    query("BEGIN")
    query("CALL SYSTEM$SEND_EMAIL('CAVES_MAIL', 'a@example.com', 's', 'c')")
    query("ROLLBACK")
    assert len(outbox(query)) == 1


@pytest.mark.parametrize(
    "call",
    [
        "SYSTEM$SEND_EMAIL('M', 'a@example.com', '', 'c')",
        "SYSTEM$SEND_EMAIL('M', 'a@example.com')",
        "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('low', '{}')",
        """SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('{"text/csv": "low"}', '{"M": {}}')""",
        """SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('{"text/plain": "low"}', '[]')""",
        """SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('{"text/plain": "low"}')""",
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_kept(query: Query, call: str) -> None:
    with pytest.raises(WarehouseError):
        query(f"CALL {call}")
    assert outbox(query) == []


def test_narrowing_the_outbox_by_argument_is_refused_by_name(query: Query) -> None:
    with pytest.raises(Unsupported, match="RESULT_LIMIT"):
        query("SELECT * FROM TABLE(INFORMATION_SCHEMA.NOTIFICATION_HISTORY(RESULT_LIMIT => 1))")
