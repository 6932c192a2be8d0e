"""Tasks: CRON, limits of a graph, defaults, policies, and what the guides' queries look for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from snowcellar.tasks import clock, graph
from snowcellar.tasks.schedule import next_time
from snowcellar.tasks.task import TaskError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually
from tests.warehouse.test_tasks_graph import (
    ENDLESS,
    create,
    gate,
    log,
    logged,
    run_graph,
    runs,
    wait_until_idle,
)

__all__ = ["gate", "log"]

COLUMNS = (
    *("created_on", "name", "id", "database_name", "schema_name", "owner", "comment", "warehouse"),
    *("schedule", "scheduling_mode", "target_completion_interval", "predecessors", "state", "definition"),
    *("condition", "allow_overlapping_execution", "error_integration", "success_integration"),
    *("last_committed_on", "last_suspended_on", "owner_role_type", "config", "budget"),
    *("last_suspended_reason", "task_relations", "execute_as_user", "overlap_policy"),
)


@pytest.mark.fact(20)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * * UTC", "2026-03-28T09:00"),
        ("30 3 * * * Europe/Paris", "2026-03-28T02:30"),
        ("*/15 9-17 * * * UTC", "2026-03-28T09:00"),
        ("0 0 * * MON UTC", "2026-03-30T00:00"),
        ("0 0 L * * UTC", "2026-03-31T00:00"),
        ("0 0 * * 5L UTC", "2026-04-24T00:00"),
        ("0 5 1 JAN * America/Los_Angeles", "2027-01-01T13:00"),
        # Saturday to Sunday night the clocks of Paris go forward: half past two is not.
        ("30 2 29 3 * Europe/Paris", "2026-03-29T01:00"),
    ],
)
def test_a_cron_schedule_is_due_in_its_time_zone(expression: str, expected: str) -> None:
    saturday = datetime(2026, 3, 28, 0, 0, 1, tzinfo=UTC)
    found = next_time(f"USING CRON {expression}", saturday)
    assert found is not None
    assert found.replace(tzinfo=None) == datetime.fromisoformat(expected)


@pytest.mark.fact(20)
@pytest.mark.parametrize(
    "schedule",
    [
        *(
            "USING CRON",
            "USING CRON 0 9 * * *",
            "USING CRON 0 9 * * * Mars/Base",
            "USING CRON 61 * * * * UTC",
        ),
        *("USING CRON 0 0 30 2 * UTC", "USING CRON 0 0 0 * * * UTC", "CRON 0 9 * * * UTC"),
    ],
)
def test_what_is_no_cron_schedule_is_refused(query: Query, schedule: str) -> None:
    with pytest.raises(TaskError, match=r"Invalid schedule was specified\."):
        query(f"CREATE TASK T SCHEDULE = '{schedule}' AS SELECT 1")


@pytest.mark.fact(20, 22)
def test_the_next_run_of_a_cron_task_is_in_the_history(query: Query) -> None:
    query("CREATE TASK T SCHEDULE = 'USING CRON 0 9 1 1 * UTC' AS SELECT 1")
    query("ALTER TASK T RESUME")
    (due,) = query("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())")
    assert due["STATE"] == "SCHEDULED"
    new_year = datetime(datetime.now(UTC).year + 1, 1, 1, 9, tzinfo=UTC)
    assert abs(due["SCHEDULED_TIME"] - new_year) < timedelta(seconds=1)


@pytest.mark.fact(20)
def test_a_cron_task_runs_at_each_of_its_times(
    cellar: Warehouse, log: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "next_time", lambda _, after: after + timedelta(seconds=0.1))
    log("CREATE TASK T SCHEDULE = 'USING CRON * * * * * UTC' AS INSERT INTO LOG VALUES ('T')")
    log("ALTER TASK T RESUME")
    eventually(lambda: len(logged(log)) >= 3)
    log("ALTER TASK T SUSPEND")
    wait_until_idle(cellar)
    times = [run["SCHEDULED_TIME"] for run in runs(log)]
    assert times == sorted(set(times))


@pytest.mark.fact(20)
def test_an_interval_begins_anew_at_resume(log: Query) -> None:
    def due() -> datetime:
        (row,) = log("SELECT SCHEDULED_TIME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())")
        time: datetime = row["SCHEDULED_TIME"]
        return time

    log("CREATE TASK T SCHEDULE = '11520 MINUTES' AS SELECT 1")
    log("ALTER TASK T RESUME")
    first = due()
    log("ALTER TASK T SUSPEND")
    log("ALTER TASK T RESUME")
    assert due() > first


@pytest.mark.fact(11)
def test_a_graph_has_bounds(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 tasks, 100 predecessors or children of one task; here three of each will do."""
    assert (graph.MAXIMUM_TASKS, graph.MAXIMUM_RELATIVES) == (1000, 100)
    monkeypatch.setattr(graph, "MAXIMUM_RELATIVES", 2)
    query("CREATE TASK ROOT AS SELECT 1")
    for name in "AB":
        query(f"CREATE TASK {name} AFTER ROOT AS SELECT 1")
    with pytest.raises(TaskError):
        query("CREATE TASK C AFTER ROOT AS SELECT 1")
    monkeypatch.setattr(graph, "MAXIMUM_RELATIVES", 100)
    monkeypatch.setattr(graph, "MAXIMUM_TASKS", 3)
    with pytest.raises(TaskError):
        query("CREATE TASK C AFTER A AS SELECT 1")


@pytest.mark.fact(15)
def test_whole_graphs_overlap_where_the_policy_lets_them(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    log("CREATE TASK T OVERLAP_POLICY = ALLOW_ALL_OVERLAP AS SELECT SYSTEM$TEST_GATE()")
    for _ in range(2):
        log("EXECUTE TASK T")
    eventually(lambda: [run["STATE"] for run in runs(log)] == ["EXECUTING"] * 2)
    gate.set()
    wait_until_idle(cellar)


@pytest.mark.fact(15)
@pytest.mark.parametrize(
    ("clause", "policy"),
    [
        ("", "NO_OVERLAP"),
        ("ALLOW_OVERLAPPING_EXECUTION = TRUE", "ALLOW_CHILD_OVERLAP"),
        ("ALLOW_OVERLAPPING_EXECUTION = FALSE", "NO_OVERLAP"),
        ("OVERLAP_POLICY = ALLOW_ALL_OVERLAP", "ALLOW_ALL_OVERLAP"),
    ],
)
def test_the_old_flag_is_another_name_of_the_policy(query: Query, clause: str, policy: str) -> None:
    query(f"CREATE TASK T {clause} AS SELECT 1")
    assert query("SHOW TASKS")[0]["overlap_policy"] == policy


@pytest.mark.fact(16)
def test_skipped_and_cancelled_runs_are_no_failures(cellar: Warehouse, log: Query) -> None:
    """Ten in a row suspend a root that says nothing else; two do here."""
    log("CREATE TASK T WHEN 1 = 2 AS SELECT 1")
    task = cellar.tasks.find(next(iter(cellar.tasks.tasks)))
    assert (task.suspend_after_failures, task.auto_retry_attempts, task.timeout_ms) == (10, 0, None)
    log("DROP TASK T")
    log(f"CREATE TASK T SCHEDULE = '11520 MINUTES' SUSPEND_TASK_AFTER_NUM_FAILURES = 2 AS {ENDLESS}")
    log("ALTER TASK T RESUME")
    for _ in range(2):
        log("EXECUTE TASK T")
        eventually(lambda: "EXECUTING" in [run["STATE"] for run in runs(log)])
        log("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('T')")
        wait_until_idle(cellar)
    log("ALTER TASK T SUSPEND")
    log("ALTER TASK T MODIFY WHEN 1 = 2")
    log("ALTER TASK T RESUME")
    for _ in range(2):
        log("EXECUTE TASK T")
        wait_until_idle(cellar)
    assert sorted(run["STATE"] for run in runs(log)) == ["CANCELLED", "CANCELLED", "SKIPPED", "SKIPPED"]
    assert log("SHOW TASKS")[0]["state"] == "started"


@pytest.mark.fact(17)
def test_a_triggered_task_waits_ten_seconds_or_more_and_needs_a_warehouse(
    cellar: Warehouse, log: Query
) -> None:
    log("CREATE STREAM S ON TABLE NUMBERS")
    with pytest.raises(Exception, match="USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS"):
        log(
            "CREATE TASK T WAREHOUSE = COMPUTE_WH USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = 9 "
            "WHEN SYSTEM$STREAM_HAS_DATA('S') AS SELECT 1"
        )
    log("CREATE TASK T WHEN SYSTEM$STREAM_HAS_DATA('S') AS SELECT 1")
    assert cellar.tasks.find(next(iter(cellar.tasks.tasks))).trigger_interval_seconds == 30
    with pytest.raises(Exception, match="TARGET_COMPLETION_INTERVAL"):
        log("ALTER TASK T RESUME")


@pytest.mark.fact(17)
def test_a_triggered_task_whose_stream_stays_empty_is_skipped_every_twelve_hours(
    cellar: Warehouse, log: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clock.HEALTH_CHECK_SECONDS == 12 * 3600
    monkeypatch.setattr(clock, "HEALTH_CHECK_SECONDS", 1)
    log("CREATE STREAM S ON TABLE NUMBERS")
    log("CREATE TASK T WAREHOUSE = COMPUTE_WH WHEN SYSTEM$STREAM_HAS_DATA('S') AS SELECT 1")
    log("ALTER TASK T RESUME")
    eventually(lambda: len(runs(log)) >= 2)
    assert {(run["STATE"], run["SCHEDULED_FROM"]) for run in runs(log)} == {("SKIPPED", "TRIGGER")}


@pytest.mark.fact(19)
def test_a_finalizer_is_one_alone_and_last(cellar: Warehouse, log: Query) -> None:
    create(log, "ROOT")
    create(log, "A", "ROOT")
    create(log, "Z", clauses="FINALIZE = ROOT")
    with pytest.raises(TaskError, match="already have finalizer"):
        log("CREATE TASK Y FINALIZE = ROOT AS SELECT 1")
    with pytest.raises(TaskError):
        log("CREATE TASK B AFTER Z AS SELECT 1")
    assert run_graph(cellar, log) == dict.fromkeys(("ROOT", "A", "Z"), "SUCCEEDED")
    ended = {run["NAME"]: run for run in runs(log)}
    assert ended["A"]["COMPLETED_TIME"] <= ended["Z"]["QUERY_START_TIME"]


@pytest.mark.fact(21, 32)
def test_show_tasks_has_snowflakes_columns(query: Query) -> None:
    query("CREATE TASK T AS SELECT 1")
    (row,) = query("SHOW TASKS")
    assert tuple(row) == COLUMNS


@pytest.mark.fact(14)
def test_the_graphs_that_run_and_have_run_are_listed(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """CURRENT_TASK_GRAPHS while a graph runs, COMPLETE_TASK_GRAPHS afterwards, a row for each graph run."""
    current = "SELECT * FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(ROOT_TASK_NAME => 'ROOT'))"
    complete = "SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(RESULT_LIMIT => 10))"
    create(log, "ROOT")
    create(log, "A", "ROOT", body="SELECT SYSTEM$TEST_GATE() || 1 / 0")
    assert log(current) == log(complete) == []
    log("EXECUTE TASK ROOT")
    eventually(lambda: [run["STATE"] for run in runs(log)] == ["SUCCEEDED", "EXECUTING"])
    (running,) = log(current)
    assert (running["ROOT_TASK_NAME"], running["STATE"], running["ATTEMPT_NUMBER"]) == (
        "ROOT",
        "EXECUTING",
        1,
    )
    gate.set()
    wait_until_idle(cellar)
    assert log(current) == []
    (ended,) = log(complete)
    assert (ended["ROOT_TASK_NAME"], ended["STATE"], ended["FIRST_ERROR_TASK_NAME"]) == (
        "ROOT",
        "FAILED",
        "A",
    )
    assert ended["FIRST_ERROR_CODE"] == "100051"
    assert ended["GRAPH_RUN_GROUP_ID"] == running["GRAPH_RUN_GROUP_ID"]
    assert list(running) == [name for name in ended if not name.startswith("COMPLETED_TIME")]
