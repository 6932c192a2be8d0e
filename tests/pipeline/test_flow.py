"""Events from Kafka to production tables, and the seven invariants on what comes out."""

import json
import re

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli import overview, report, verification
from caves_cli.report import Report
from caves_snowpark import names
from ingest.truth import Truth
from tests.deploy import kinds


def broken(session: SnowflakeConnection, *statements: str) -> list[str]:
    """The invariants that do not hold after these statements, which are then undone."""
    with session.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            for statement in statements:
                cursor.execute(statement)
            return [verdict.invariant.name for verdict in verification.verify(session) if not verdict.holds]
        finally:
            cursor.execute("ROLLBACK")


def test_every_event_and_cent_and_bottle_is_accounted_for(session: SnowflakeConnection, truth: Truth) -> None:
    outcome = Report(truth, report.read(session), {})
    assert outcome.mismatches == []
    assert outcome.holds


def test_a_rejected_event_keeps_its_coordinates_and_every_reason(
    session: SnowflakeConnection, truth: Truth
) -> None:
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), COUNT(SOURCE_TOPIC), COUNT(SOURCE_PARTITION), COUNT(SOURCE_OFFSET),"
            " COUNT_IF(ARRAY_SIZE(REASONS) > 0) FROM STAGING.REJECTED_EVENTS"
        )
        assert cursor.fetchall() == [(truth.rejected,) * 5]


def test_the_procedures_keep_to_few_statements(session: SnowflakeConnection, truth: Truth) -> None:
    costs = {cost.procedure: cost.most_statements for cost in report.read(session).costs}
    # BEGIN, a count of the stream, one that writes, COMMIT, and the task's return value.
    assert costs == {
        "DISTRIBUTE_RAW_EVENTS": 5,
        "MERGE_ORDERS": 5,
        "APPEND_INVENTORY_HISTORY": 5,
        "MERGE_INVENTORY_CURRENT": 2,
    }


def test_the_task_history_shows_what_a_procedure_returned(session: SnowflakeConnection, truth: Truth) -> None:
    runs = [run for run in overview.task_runs(session, 1000) if run.state == "SUCCEEDED"]
    counted = [json.loads(run.returned or "{}") for run in runs if "DISTRIBUTOR" in run.name]
    assert sum(counts.get("read", 0) for counts in counted) == truth.events_produced


def test_what_the_procedures_send_parses_by_two_tools_that_are_not_ours(
    session: SnowflakeConnection, truth: Truth
) -> None:
    sent = sent_by_procedures(session)
    verbs = {statement.lstrip("( ").split()[0] for statement in sent}
    assert verbs == {"BEGIN", "INSERT", "MERGE", "SELECT", "COMMIT", "CALL"}
    for statement in sent:
        assert kinds.known_to_sqlglot(statement) or statement.startswith("CALL "), statement
        # Seven seconds each for those of 18,000 characters, which repeat what the shorter ones are made of.
        assert len(statement) > 10_000 or kinds.known_to_sqlfluff(statement), statement


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_the_longest_statements_parse_too(session: SnowflakeConnection, truth: Truth) -> None:
    longest = [statement for statement in sent_by_procedures(session) if len(statement) > 10_000]
    assert len(longest) == 1
    assert all(kinds.known_to_sqlfluff(statement) for statement in longest)


def sent_by_procedures(session: SnowflakeConnection) -> list[str]:
    """One statement of each form that ran within a CALL."""
    with session.cursor() as cursor:
        cursor.execute(
            "SELECT QUERY_TEXT FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))"
            " WHERE PARENT_QUERY_ID IS NOT NULL AND QUERY_TYPE <> 'DESCRIBE_QUERY'"
        )
        texts = [str(text) for (text,) in cursor.fetchall()]
    # Generated names, values and numbers differ from call to call.
    return list({re.sub(r"SNOWPARK_[A-Z0-9_]+|'[^']*'|\d+", "?", text): text for text in texts}.values())


def first(column: str, table: str) -> str:
    return f"{column} = (SELECT MIN({column}) FROM {table})"


RAW, STAGED, STOCK = names.RAW_EVENTS, names.STG_ORDERS, names.INVENTORY_CURRENT
REJECTED, DUPLICATES = names.REJECTED_EVENTS, names.DUPLICATE_EVENTS
ORDERS, HISTORY = names.ORDERS, names.INVENTORY_HISTORY
ONE_RAW_ROW = (
    "EVENT_METADATA:offset::NUMBER(38, 0) = 1 AND EVENT_METADATA:partition::NUMBER(38, 0) ="
    f" (SELECT MIN(PARTITION) FROM {names.KAFKA_OFFSETS} WHERE NEXT_OFFSET > 2)"
)
ONE_ORDER = first("ORDER_ID", ORDERS)
ONE_MOVEMENT = first("ADJUSTMENT_ID", HISTORY)
ONE_PRODUCT = first("PRODUCT_ID", STOCK)
DAMAGE = [
    ("raw_holds_every_message_once", f"INSERT INTO {RAW} SELECT * FROM {RAW} WHERE {ONE_RAW_ROW}"),
    ("raw_holds_every_message_once", f"DELETE FROM {RAW} WHERE {ONE_RAW_ROW}"),
    # The first of each partition: no gap between the rows that are left.
    ("raw_holds_every_message_once", f"DELETE FROM {RAW} WHERE EVENT_METADATA:offset::NUMBER(38, 0) = 0"),
    ("raw_holds_every_message_once", f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET - 1"),
    (
        "every_raw_row_is_accounted_for_once",
        f"DELETE FROM {REJECTED} WHERE {first('SOURCE_OFFSET', REJECTED)}",
    ),
    ("every_raw_row_is_accounted_for_once", f"INSERT INTO {DUPLICATES} SELECT * FROM {DUPLICATES}"),
    (
        "every_raw_row_is_accounted_for_once",
        (
            f"INSERT INTO {DUPLICATES} SELECT EVENT_TYPE, EVENT_KEY, CONTENT_HASH, SOURCE_TOPIC,"
            f" SOURCE_PARTITION, SOURCE_OFFSET + 1000000, DETECTED_AT FROM {DUPLICATES} LIMIT 1"
        ),
    ),
    ("every_raw_row_is_accounted_for_once", f"UPDATE {REJECTED} SET REASONS = ARRAY_CONSTRUCT()"),
    # A trace of what never happened; the other way round is what a replay without its log would leave.
    (
        "every_raw_row_is_accounted_for_once",
        (
            f"INSERT INTO {names.REPLAY_LOG} SELECT 'DISMISSED', NULL, SOURCE_TOPIC, SOURCE_PARTITION,"
            f" SOURCE_OFFSET, REASONS, NULL, 'why', 'who', SYSDATE() FROM {REJECTED} LIMIT 1"
        ),
    ),
    ("every_raw_row_is_accounted_for_once", f"UPDATE {REJECTED} SET DISMISSED_AT = SYSDATE()"),
    ("orders_are_the_latest_versions", f"DELETE FROM {ORDERS} WHERE {ONE_ORDER}"),
    ("orders_are_the_latest_versions", f"INSERT INTO {ORDERS} SELECT * FROM {ORDERS} WHERE {ONE_ORDER}"),
    (
        "orders_are_the_latest_versions",
        f"UPDATE {ORDERS} SET PAYMENT_METHOD = SALES_CHANNEL WHERE {ONE_ORDER}",
    ),
    ("orders_are_the_latest_versions", f"UPDATE {ORDERS} SET ORDER_DATE = ORDER_DATE + 1 WHERE {ONE_ORDER}"),
    (
        "history_has_each_adjustment_once",
        f"INSERT INTO {HISTORY} SELECT * FROM {HISTORY} WHERE {ONE_MOVEMENT}",
    ),
    ("history_has_each_adjustment_once", f"DELETE FROM {HISTORY} WHERE {ONE_MOVEMENT}"),
    (
        "stock_is_the_sum_of_its_history",
        f"UPDATE {STOCK} SET CURRENT_STOCK_LEVEL = 10001 WHERE {ONE_PRODUCT}",
    ),
    ("stock_is_the_sum_of_its_history", f"DELETE FROM {STOCK} WHERE {ONE_PRODUCT}"),
    (
        "money_is_exact_to_the_cent",
        f"UPDATE {ORDERS} SET TOTAL_AMOUNT = TOTAL_AMOUNT + 0.01 WHERE {ONE_ORDER}",
    ),
    ("a_repeat_changes_nothing", f"INSERT INTO {STAGED} SELECT * FROM {STAGED} WHERE {ONE_ORDER}"),
    ("a_repeat_changes_nothing", f"UPDATE {DUPLICATES} SET CONTENT_HASH = 'of nothing'"),
]


@pytest.mark.parametrize(("invariant", "damage"), DAMAGE)
def test_a_damaged_table_breaks_its_invariant(
    session: SnowflakeConnection, truth: Truth, invariant: str, damage: str
) -> None:
    assert invariant in broken(session, damage)
