"""Alerts that run: on the shortened minute, by hand, in their history, across a restart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from snowcellar.alerts.history import INTERRUPTED
from snowcellar.errors import CompilationError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import DATABASE, MINUTE_SECONDS, Query, eventually, rows_of
from tests.warehouse.test_tasks_graph import ENDLESS

NEVER = "11520 MINUTES"


def create(query: Query, condition: str, action: str, schedule: str = NEVER, name: str = "A") -> None:
    query(f"CREATE ALERT {name} SCHEDULE = '{schedule}' IF (EXISTS ({condition})) THEN {action}")


def history(query: Query, arguments: str = "") -> list[dict[str, Any]]:
    return query(f"SELECT * FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY({arguments}))")


def finished(query: Query, count: int = 1) -> list[dict[str, Any]]:
    """The runs that are over, newest first, once there are so many."""

    def over() -> list[dict[str, Any]]:
        runs = [run for run in history(query) if run["COMPLETED_TIME"] is not None]
        return runs if len(runs) >= count else []

    found: list[dict[str, Any]] = eventually(over, f"{count} runs")
    return found


def executed(query: Query, name: str = "A") -> dict[str, Any]:
    """The run that EXECUTE ALERT makes."""
    before = len([run for run in history(query) if run["COMPLETED_TIME"] is not None])
    query(f"EXECUTE ALERT {name}")
    return finished(query, before + 1)[0]


@pytest.fixture
def readings(query: Query) -> Query:
    """A table to look at, empty, and one to write to."""
    query("CREATE TABLE READINGS (N INT, SEEN TIMESTAMP_LTZ)")
    query("CREATE TABLE LOG (N INT)")
    return query


def test_a_started_alert_acts_at_each_tick_at_which_there_are_rows(readings: Query) -> None:
    create(readings, "SELECT 1 FROM READINGS WHERE N > 200", "INSERT INTO LOG VALUES (1)", "1 MINUTE")
    readings("ALTER ALERT A RESUME")
    assert {run["STATE"] for run in finished(readings, 2)} == {"CONDITION_FALSE"}
    assert readings("SELECT * FROM LOG") == []
    readings("INSERT INTO READINGS (N) VALUES (300)")
    eventually(lambda: len(readings("SELECT * FROM LOG")) >= 2, "the alert acts")
    readings("DELETE FROM READINGS")
    eventually(lambda: finished(readings)[0]["STATE"] == "CONDITION_FALSE", "the condition is false again")
    readings("ALTER ALERT A SUSPEND")
    triggered = [run for run in finished(readings) if run["STATE"] == "TRIGGERED"]
    assert len(readings("SELECT * FROM LOG")) == len(triggered)
    assert {run["SCHEDULED_FROM"] for run in triggered} == {"SCHEDULE"}


def test_ticks_are_one_shortened_interval_apart(readings: Query) -> None:
    create(readings, "SELECT 1 WHERE FALSE", "SELECT 1", "2 MINUTE")
    readings("ALTER ALERT A RESUME")
    runs = finished(readings, 2)
    between = (runs[0]["SCHEDULED_TIME"] - runs[1]["SCHEDULED_TIME"]).total_seconds()
    ticks = between / (2 * MINUTE_SECONDS)
    assert round(ticks) >= 1
    assert abs(ticks - round(ticks)) < 0.1


def test_the_history_has_snowflakes_columns(query: Query) -> None:
    create(query, "SELECT 1", "SELECT 2")
    run = executed(query)
    assert list(run) == [
        *("NAME", "DATABASE_NAME", "SCHEMA_NAME", "CONDITION", "CONDITION_QUERY_ID", "ACTION"),
        *("ACTION_QUERY_ID", "STATE", "SQL_ERROR_CODE", "SQL_ERROR_MESSAGE", "SCHEDULED_TIME"),
        *("COMPLETED_TIME", "SCHEDULED_FROM"),
    ]
    assert (run["NAME"], run["DATABASE_NAME"], run["SCHEMA_NAME"]) == ("A", DATABASE, "PUBLIC")
    assert (run["CONDITION"], run["ACTION"]) == ("SELECT 1", "SELECT 2")
    assert (run["STATE"], run["SQL_ERROR_CODE"], run["SCHEDULED_FROM"]) == (
        "TRIGGERED",
        None,
        "EXECUTE ALERT",
    )
    assert run["COMPLETED_TIME"] >= run["SCHEDULED_TIME"]
    texts = {row["QUERY_ID"]: row for row in query("SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())")}
    assert texts[run["CONDITION_QUERY_ID"]]["QUERY_TEXT"] == "SELECT 1"
    assert texts[run["ACTION_QUERY_ID"]]["QUERY_TEXT"] == "SELECT 2"
    assert texts[run["ACTION_QUERY_ID"]]["USER_NAME"] == "SYSTEM"


def test_a_failing_condition_and_a_failing_action_are_told_apart(query: Query) -> None:
    create(query, "SELECT 1 / 0", "SELECT 2")
    run = executed(query)
    assert (run["STATE"], run["SQL_ERROR_CODE"]) == ("CONDITION_FAILED", 100051)
    assert (run["SQL_ERROR_MESSAGE"], run["ACTION_QUERY_ID"]) == ("Division by zero", None)
    query("ALTER ALERT A MODIFY CONDITION EXISTS (SELECT 1)")
    query("ALTER ALERT A MODIFY ACTION INSERT INTO NOWHERE VALUES (1)")
    run = executed(query)
    assert run["STATE"] == "ACTION_FAILED"
    assert "NOWHERE" in run["SQL_ERROR_MESSAGE"]


def test_an_action_that_leaves_a_transaction_open_has_failed(readings: Query) -> None:
    create(readings, "SELECT 1", "BEGIN")
    assert executed(readings)["STATE"] == "ACTION_FAILED"


def test_an_alert_executed_by_hand_stays_suspended(query: Query) -> None:
    create(query, "SELECT 1", "SELECT 2")
    executed(query)
    assert query("SHOW ALERTS")[0]["state"] == "suspended"


def test_an_alert_executed_while_it_runs_runs_again_after_it(readings: Query) -> None:
    create(readings, "SELECT SYSTEM$WAIT(1)", "INSERT INTO LOG VALUES (1)")
    for _ in range(2):
        readings("EXECUTE ALERT A")
    runs = finished(readings, 2)
    assert [run["STATE"] for run in runs] == ["TRIGGERED", "TRIGGERED"]
    assert runs[0]["SCHEDULED_TIME"] >= runs[1]["COMPLETED_TIME"]


def test_the_action_can_read_what_the_condition_found(readings: Query) -> None:
    readings("INSERT INTO READINGS (N) VALUES (1), (300), (400)")
    found = "TABLE(RESULT_SCAN(SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID()))"
    create(
        readings,
        "SELECT N FROM READINGS WHERE N > 200",
        f"MERGE INTO LOG USING (SELECT N FROM {found}) AS FOUND ON LOG.N = FOUND.N"
        " WHEN NOT MATCHED THEN INSERT (N) VALUES (FOUND.N)",
    )
    assert executed(readings)["STATE"] == "TRIGGERED"
    assert executed(readings)["STATE"] == "TRIGGERED"
    assert readings("SELECT N FROM LOG ORDER BY N") == [{"N": 300}, {"N": 400}]


def test_the_condition_can_ask_for_what_is_new_since_its_last_success(readings: Query) -> None:
    create(
        readings,
        "SELECT 1 FROM READINGS WHERE SEEN > SNOWFLAKE.ALERT.LAST_SUCCESSFUL_SCHEDULED_TIME()"
        " AND SEEN <= SNOWFLAKE.ALERT.SCHEDULED_TIME()",
        "INSERT INTO LOG VALUES (1)",
    )
    readings("INSERT INTO READINGS VALUES (1, '2001-01-01 00:00:00'::TIMESTAMP_LTZ)")
    assert executed(readings)["STATE"] == "TRIGGERED"
    assert executed(readings)["STATE"] == "CONDITION_FALSE"
    readings("INSERT INTO READINGS VALUES (2, CURRENT_TIMESTAMP())")
    assert executed(readings)["STATE"] == "TRIGGERED"


def test_a_call_in_a_string_is_left_alone(query: Query) -> None:
    query("CREATE TABLE TEXTS (T VARCHAR)")
    create(query, "SELECT 1", "INSERT INTO TEXTS VALUES ('SNOWFLAKE.ALERT.SCHEDULED_TIME()')")
    assert executed(query)["STATE"] == "TRIGGERED"
    assert query("SELECT T FROM TEXTS") == [{"T": "SNOWFLAKE.ALERT.SCHEDULED_TIME()"}]


def test_suspending_and_dropping_cancel_the_run_under_way(query: Query) -> None:
    query("CREATE TABLE NUMBERS AS SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 1000))")
    query("CREATE TABLE LOG (WHO VARCHAR)")
    create(query, "SELECT 1", ENDLESS)
    for statement, told in (("ALTER ALERT A SUSPEND", "suspended"), ("DROP ALERT A", "dropped")):
        query("EXECUTE ALERT A")
        eventually(lambda: any(run["ACTION_QUERY_ID"] is None for run in history(query)), "it runs")
        eventually(
            lambda: query(
                "SELECT 1 FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())"
                " WHERE USER_NAME = 'SYSTEM' AND EXECUTION_STATUS = 'RUNNING'"
            ),
            "its action runs",
        )
        query(statement)
        run = eventually(lambda: next((r for r in history(query) if r["STATE"] == "CANCELLED"), None))
        assert f"was {told} while it ran" in finished(query)[0]["SQL_ERROR_MESSAGE"]
        assert run["COMPLETED_TIME"] is not None


def test_the_history_narrows_by_name_time_and_limit(query: Query) -> None:
    create(query, "SELECT 1", "SELECT 2")
    create(query, "SELECT 1", "SELECT 2", name='"b"')
    query("EXECUTE ALERT A")
    query('EXECUTE ALERT "b"')
    finished(query, 2)
    assert [run["NAME"] for run in history(query, "ALERT_NAME => 'B'")] == ["b"]
    assert len(history(query, "RESULT_LIMIT => 1")) == 1
    assert history(query, "SCHEDULED_TIME_RANGE_START => DATEADD('hour', 1, CURRENT_TIMESTAMP())") == []
    assert len(history(query, "SCHEDULED_TIME_RANGE_END => CURRENT_TIMESTAMP()")) == 2
    with pytest.raises(CompilationError, match="TASK_NAME"):
        history(query, "TASK_NAME => 'A'")
    with pytest.raises(CompilationError, match=re.escape("10,000")):
        history(query, "RESULT_LIMIT => 10001")


def test_the_next_run_of_a_started_alert_is_in_the_history(query: Query) -> None:
    create(query, "SELECT 1", "SELECT 2", "60 MINUTE")
    query("ALTER ALERT A RESUME")
    (run,) = history(query)
    assert (run["STATE"], run["COMPLETED_TIME"]) == ("SCHEDULED", None)


def test_a_restart_keeps_alerts_started_and_says_what_was_cut_off(
    cellar: Warehouse, session: Session, tmp_path: Path
) -> None:
    query = rows_of(session)
    query("CREATE TABLE LOG (N INT)")
    create(query, "SELECT 1", "INSERT INTO LOG VALUES (1)", "1 MINUTE")
    create(query, "SELECT 1", "SELECT 1", name="IDLE")
    query("ALTER ALERT A RESUME")
    finished(query)
    cellar.close()
    second = Warehouse(tmp_path / "cellar.duckdb", minute_seconds=MINUTE_SECONDS)
    try:
        # What kill -9 leaves: a run that never ended.
        table = f"{second.meta(DATABASE)}.sc_alert_runs"
        with second.cursor() as duck:
            duck.execute(
                f"INSERT INTO {table} BY NAME SELECT * REPLACE ('cut' AS run_key, 'EXECUTING' AS state, "
                f"NULL AS completed_time) FROM {table} LIMIT 1"
            )
        second.alerts.history.recover(DATABASE)
        query = rows_of(second.open_session(DATABASE, "PUBLIC"))
        assert [
            (run["STATE"], run["SQL_ERROR_MESSAGE"]) for run in history(query) if run["STATE"] == "FAILED"
        ] == [("FAILED", INTERRUPTED)]
        states = {row["name"]: row["state"] for row in query("SHOW ALERTS")}
        assert states == {"A": "started", "IDLE": "suspended"}
        written = query("SELECT COUNT(*) AS N FROM LOG")[0]["N"]
        second.start()
        eventually(lambda: query("SELECT COUNT(*) AS N FROM LOG")[0]["N"] > written, "the alert goes on")
    finally:
        second.close()
