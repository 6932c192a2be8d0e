"""The alerts of deploy/ fire when something is really wrong, once, and clear again; and not before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor

from caves_cli import connection, local, verification
from caves_snowpark import names
from tests.pipeline.conftest import ROOT, Pipeline, start, wait_until

MINUTE_SECONDS = 2
# Looks that are far apart even so are asked for.
RARE = (names.ALERT_BROKEN_INVARIANTS, names.ALERT_BROKEN_STOCK)
# Thresholds in minutes that a test can wait for; a busy machine may take seconds over one step.
SOON = 0.05


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline of its own, healthy and drained: what these tests break must not break others."""
    for pipeline in start(tmp_path_factory, "watched", MINUTE_SECONDS):
        sent = pipeline.produce(2_000, bad_share=0.01)
        assert pipeline.ingest() == sent.events_produced
        pipeline.drain()
        yield pipeline


@pytest.fixture
def session(watched: Pipeline) -> Iterator[SnowflakeConnection]:
    with watched.target.open() as opened:
        yield opened


def rows(session: SnowflakeConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    with session.cursor(DictCursor) as cursor:
        cursor.execute(sql, values)
        return [dict(row) for row in cursor.fetchall()]


def log_of(session: SnowflakeConnection, alert: str, subject: str | None = None) -> list[dict[str, Any]]:
    """The alert's rows of ALERT_LOG, oldest first."""
    found = rows(
        session,
        f"SELECT * FROM {names.ALERT_LOG} WHERE ALERT_NAME = %s ORDER BY FIRED_AT, SUBJECT",
        alert.partition("ALERT_")[2],
    )
    return [row for row in found if subject in (None, row["SUBJECT"])]


def open_subjects(session: SnowflakeConnection, alert: str) -> list[str]:
    return sorted(row["SUBJECT"] for row in log_of(session, alert) if row["CLEARED_AT"] is None)


def looks(session: SnowflakeConnection, alert: str) -> list[tuple[str, str]]:
    """(state, what began it) of the alert's runs that are over, newest first."""
    history = (
        f"INFORMATION_SCHEMA.ALERT_HISTORY(ALERT_NAME => '{alert.partition('.')[2]}', RESULT_LIMIT => 10000)"
    )
    over = rows(session, f"SELECT * FROM TABLE({history}) WHERE COMPLETED_TIME IS NOT NULL")
    return [(row["STATE"], row["SCHEDULED_FROM"]) for row in over]


def look_again(session: SnowflakeConnection, alert: str) -> None:
    """One look more, begun after now."""

    def asked_for() -> int:
        return sum(source == "EXECUTE ALERT" for _, source in looks(session, alert))

    before = asked_for()
    rows(session, f"EXECUTE ALERT {alert}")
    wait_until(lambda: asked_for() > before)


@contextmanager
def threshold(session: SnowflakeConnection, setting: str, value: float) -> Iterator[None]:
    """A setting changed as an operator changes it, and put back."""
    update = f"UPDATE {names.ALERT_SETTINGS} SET THRESHOLD = %s WHERE SETTING = %s"
    ((kept),) = rows(session, f"SELECT THRESHOLD FROM {names.ALERT_SETTINGS} WHERE SETTING = %s", setting)
    rows(session, update, value, setting)
    try:
        yield
    finally:
        rows(session, update, kept["THRESHOLD"], setting)


def fires_once(session: SnowflakeConnection, alert: str, subject: str) -> dict[str, Any]:
    """Wait for an open row of the subject, look some more, and there is still one."""
    if alert in RARE:
        look_again(session, alert)
    wait_until(lambda: subject in open_subjects(session, alert))
    for _ in range(2):
        look_again(session, alert)
    still_open = [row for row in log_of(session, alert, subject) if row["CLEARED_AT"] is None]
    assert len(still_open) == 1
    return {**still_open[0], "DETAILS": json.loads(still_open[0]["DETAILS"])}


def clears(session: SnowflakeConnection, alert: str, subject: str) -> None:
    """Wait until no row of the subject is open; the newest says when it was over."""
    if alert in RARE:
        look_again(session, alert)
    wait_until(lambda: subject not in open_subjects(session, alert))
    newest = log_of(session, alert, subject)[-1]
    assert newest["CLEARED_AT"] >= newest["FIRED_AT"]


def test_on_a_healthy_pipeline_only_what_is_really_low_is_open(session: SnowflakeConnection) -> None:
    for alert in names.ALERTS:
        look_again(session, alert)
    low = rows(
        session,
        f"SELECT CONCAT(PRODUCT_ID, '/', WAREHOUSE_LOCATION) AS SUBJECT FROM {names.INVENTORY_CURRENT}"
        " WHERE CURRENT_STOCK_LEVEL < 6",
    )
    assert open_subjects(session, names.ALERT_LOW_STOCK) == sorted(row["SUBJECT"] for row in low)
    others = [
        row for row in rows(session, f"SELECT * FROM {names.ALERT_LOG}") if row["ALERT_NAME"] != "LOW_STOCK"
    ]
    assert others == []
    for alert in names.ALERTS:
        assert {state for state, _ in looks(session, alert)} <= {"TRIGGERED", "CONDITION_FALSE"}


def adjust(session: SnowflakeConnection, number: int, bottles: int) -> str:
    """Move the stock of the first place by an event, as a shop does; the subject of its alert."""
    ((place),) = rows(
        session,
        f"SELECT PRODUCT_ID, WAREHOUSE_LOCATION FROM {names.INVENTORY_CURRENT}"
        " ORDER BY PRODUCT_ID, WAREHOUSE_LOCATION LIMIT 1",
    )
    event = {
        "event_type": "INVENTORY_ADJUSTED",
        "event_id": f"drain-{number}",
        "product_id": int(place["PRODUCT_ID"]),
        "quantity_change": bottles,
        "adjustment_type": "CORRECTION",
        "warehouse_location": place["WAREHOUSE_LOCATION"],
        "event_ts": "2026-11-23T10:00:00+01:00",
    }
    arrive(session, [event])
    return f"{place['PRODUCT_ID']}/{place['WAREHOUSE_LOCATION']}"


def arrive(session: SnowflakeConnection, events: list[Any]) -> None:
    """Load events as the ingestor does: rows and offset in one transaction."""
    ((log),) = rows(
        session, f"SELECT TOPIC, PARTITION, NEXT_OFFSET FROM {names.KAFKA_OFFSETS} ORDER BY PARTITION LIMIT 1"
    )
    offset = int(log["NEXT_OFFSET"])
    rows(session, "BEGIN")
    for number, event in enumerate(events):
        metadata = {"topic": log["TOPIC"], "partition": int(log["PARTITION"]), "offset": offset + number}
        rows(
            session,
            f"INSERT INTO {names.RAW_EVENTS}"
            " (EVENT_TYPE, EVENT_METADATA, EVENT_CONTENT, INGESTION_TIME)"
            " SELECT %s, PARSE_JSON(%s)::OBJECT, PARSE_JSON(%s), CURRENT_TIMESTAMP()",
            event.get("event_type") if isinstance(event, dict) else None,
            json.dumps(metadata),
            json.dumps(event),
        )
    rows(
        session,
        f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET + %s, UPDATED_AT = SYSDATE()"
        " WHERE TOPIC = %s AND PARTITION = %s",
        len(events),
        log["TOPIC"],
        log["PARTITION"],
    )
    rows(session, "COMMIT")


def test_a_drained_place_fires_low_stock_and_a_delivery_clears_it(session: SnowflakeConnection) -> None:
    subject = adjust(session, 1, -1_000)
    fired = fires_once(session, names.ALERT_LOW_STOCK, subject)
    assert (fired["SEVERITY"], fired["DETAILS"]["threshold"]) == ("CRITICAL", 6)
    assert fired["DETAILS"]["bottles"] < 0
    adjust(session, 2, 3 - fired["DETAILS"]["bottles"])
    wait_until(lambda: log_of(session, names.ALERT_LOW_STOCK, subject)[-1]["SEVERITY"] == "WARNING")
    again = fires_once(session, names.ALERT_LOW_STOCK, subject)
    assert (again["FIRED_AT"], again["DETAILS"]["bottles"]) == (fired["FIRED_AT"], 3)
    adjust(session, 3, 1_000)
    clears(session, names.ALERT_LOW_STOCK, subject)


def test_rows_that_wait_fire_and_clear_once_the_graph_runs_again(session: SnowflakeConnection) -> None:
    rows(session, f"ALTER TASK {names.ROOT_TASK} SUSPEND")
    try:
        with threshold(session, "WAITING_MINUTES", SOON):
            adjust(session, 4, 1)
            fired = fires_once(session, names.ALERT_PIPELINE_LAG, "STREAM_RAW_EVENTS")
            assert (fired["SEVERITY"], fired["DETAILS"]["rows"]) == ("CRITICAL", 1)
    finally:
        rows(session, f"ALTER TASK {names.ROOT_TASK} RESUME")
    clears(session, names.ALERT_PIPELINE_LAG, "STREAM_RAW_EVENTS")


def test_a_stopped_ingestor_fires_and_clears_once_it_loads_again(session: SnowflakeConnection) -> None:
    with threshold(session, "SILENT_MINUTES", SOON):
        fired = fires_once(session, names.ALERT_PIPELINE_LAG, "INGESTOR")
        assert fired["SEVERITY"] == "WARNING"
        with threshold(session, "SILENT_MINUTES", 1):
            adjust(session, 5, 1)
            clears(session, names.ALERT_PIPELINE_LAG, "INGESTOR")


def test_a_failing_procedure_fires_until_its_task_succeeds(session: SnowflakeConnection) -> None:
    task = names.TASK_INVENTORY_HISTORY.partition(".")[2]
    rows(session, f"ALTER TABLE {names.INVENTORY_HISTORY} RENAME TO PRODUCTION.AWAY")
    try:
        adjust(session, 6, 1)
        fired = fires_once(session, names.ALERT_FAILED_TASKS, task)
        assert fired["DETAILS"]["failed_runs"] >= 1
        assert "INVENTORY_HISTORY" in fired["DETAILS"]["last_error"]
        assert open_subjects(session, names.ALERT_FAILED_TASKS) == [task]
    finally:
        rows(session, f"ALTER TABLE PRODUCTION.AWAY RENAME TO {names.INVENTORY_HISTORY}")
        # Ten failures in a row have suspended the graph, if it took so long.
        rows(session, f"ALTER TASK {names.ROOT_TASK} RESUME")
    clears(session, names.ALERT_FAILED_TASKS, task)


def test_garbage_fires_and_clears_once_it_is_dismissed(session: SnowflakeConnection) -> None:
    with threshold(session, "REJECTED_PERCENT", 2):
        arrive(session, [{"event_type": "ORDER_CREATED", "order_line_id": n} for n in range(100)])
        fired = fires_once(session, names.ALERT_REJECTED_SHARE, "EVENTS")
        assert fired["DETAILS"]["rejected"] >= 100
        rows(session, f"CALL {names.DISMISS_REJECTED}('MISSING_CUSTOMER_ID', 'garbage of a test')")
        clears(session, names.ALERT_REJECTED_SHARE, "EVENTS")


def repeat(table: str) -> str:
    """A statement that doubles a row of a table, under an earlier CREATED_AT."""
    changed = "'2001-01-01'::TIMESTAMP_NTZ AS CREATED_AT"
    return f"INSERT INTO {table} SELECT * REPLACE ({changed}) FROM {table} LIMIT 1"


def forget_repeat(table: str) -> str:
    return f"DELETE FROM {table} WHERE CREATED_AT = '2001-01-01'::TIMESTAMP_NTZ"


@pytest.mark.parametrize(
    ("subject", "damage", "mend"),
    [
        (
            "raw_holds_every_message_once",
            f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET + 1",
            f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET - 1",
        ),
        (
            "every_raw_row_is_accounted_for_once",
            f"INSERT INTO {names.DUPLICATE_EVENTS} (EVENT_KEY, DETECTED_AT) VALUES ('damage', SYSDATE())",
            f"DELETE FROM {names.DUPLICATE_EVENTS} WHERE EVENT_KEY = 'damage'",
        ),
        (
            "orders_are_the_latest_versions",
            repeat(names.ORDERS),
            forget_repeat(names.ORDERS),
        ),
        (
            "history_has_each_adjustment_once",
            repeat(names.INVENTORY_HISTORY),
            forget_repeat(names.INVENTORY_HISTORY),
        ),
    ],
)
def test_a_damaged_table_fires_and_clears_once_it_is_mended(
    session: SnowflakeConnection, subject: str, damage: str, mend: str
) -> None:
    rows(session, damage)
    fired = fires_once(session, names.ALERT_BROKEN_INVARIANTS, subject)
    assert fired["SEVERITY"] == "CRITICAL"
    assert open_subjects(session, names.ALERT_BROKEN_INVARIANTS) == [subject]
    rows(session, mend)
    clears(session, names.ALERT_BROKEN_INVARIANTS, subject)


def test_damaged_stock_fires_and_clears_once_it_is_mended(session: SnowflakeConnection) -> None:
    subject = "stock_is_the_sum_of_its_history"
    first = f"PRODUCT_ID = (SELECT MIN(PRODUCT_ID) FROM {names.INVENTORY_CURRENT})"
    level = f"UPDATE {names.INVENTORY_CURRENT} SET CURRENT_STOCK_LEVEL = CURRENT_STOCK_LEVEL"
    rows(session, f"{level} + 1 WHERE {first}")
    assert fires_once(session, names.ALERT_BROKEN_STOCK, subject)["DETAILS"]["places"] >= 1
    rows(session, f"{level} - 1 WHERE {first}")
    clears(session, names.ALERT_BROKEN_STOCK, subject)


def test_what_fires_and_clears_is_sent_once_through_the_integration(
    watched: Pipeline, session: SnowflakeConnection
) -> None:
    sql = (ROOT / "deploy" / "optional" / "send_alerts.sql").read_text(encoding="utf-8")
    for name, value in {**watched.target.environment, "CAVES_NOTIFICATION_INTEGRATION": "CAVES_MAIL"}.items():
        sql = sql.replace(f"<% ctx.env.{name} %>", value)
    unsent = (
        f"SELECT * FROM {names.ALERT_LOG}"
        " WHERE FIRING_SENT_AT IS NULL OR (CLEARED_AT IS NOT NULL AND CLEARING_SENT_AT IS NULL)"
    )
    watched.snow(sql)
    try:
        wait_until(lambda: not rows(session, unsent))
        sent = len(outbox(session))
        with threshold(session, "SILENT_MINUTES", 0.01):
            wait_until(lambda: len(outbox(session)) == sent + 1)
        wait_until(lambda: len(outbox(session)) == sent + 2)
        assert [message["text/plain"] for message in outbox(session)[:2]] == [
            "Caves: 1 cleared: CLEARED PIPELINE_LAG INGESTOR",
            "Caves: 1 fired: WARNING PIPELINE_LAG INGESTOR",
        ]
        assert outbox(session)[0]["subject"] == "Caves: 1 cleared"
    finally:
        rows(session, f"DROP ALERT {names.ALERT_SENDER}")


def outbox(session: SnowflakeConnection) -> list[dict[str, str]]:
    """What was to be sent, newest first."""
    history = "TABLE(INFORMATION_SCHEMA.NOTIFICATION_HISTORY())"
    found = rows(session, f"SELECT MESSAGE FROM {history} WHERE INTEGRATION_NAME = 'CAVES_MAIL'")
    return [json.loads(row["MESSAGE"]) for row in found]


def test_a_restart_and_a_redeploy_keep_what_is_open_and_write_nothing_twice(watched: Pipeline) -> None:
    with watched.target.open() as session:
        subject = adjust(session, 7, -100_000)
        fires_once(session, names.ALERT_LOW_STOCK, subject)
        before = log_of(session, names.ALERT_LOW_STOCK)
    local.stop(watched.folder)
    local.start(watched.folder, minute_seconds=MINUTE_SECONDS, port=0)
    restarted = replace(watched, target=connection.target("local", watched.folder.config_file))
    restarted.deploy()
    with restarted.target.open() as session:
        states = {row["name"]: row["state"] for row in rows(session, "SHOW ALERTS IN DATABASE")}
        assert states == {alert.partition(".")[2]: "started" for alert in names.ALERTS}
        fires_once(session, names.ALERT_LOW_STOCK, subject)
        assert log_of(session, names.ALERT_LOW_STOCK) == before
        adjust(session, 8, 100_000)
        clears(session, names.ALERT_LOW_STOCK, subject)
        restarted.drain()
        assert [verdict.invariant.name for verdict in verification.verify(session) if not verdict.holds] == []
