"""The clock: ticks, overlap, suspension after failures, streams that wake a task, and what a tick costs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from snowcellar.tasks import history
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually
from tests.warehouse.test_tasks_graph import ENDLESS, gate, log, logged, runs, wait_until_idle

__all__ = ["gate", "log"]

EACH_TICK = "SCHEDULE = '10 SECONDS'"
"""The shortest schedule, a tenth of a second here."""


def states(query: Query) -> list[str]:
    return [run["STATE"] for run in runs(query)]


def state_of(query: Query, name: str) -> Any:
    (row,) = query(f"SHOW TASKS LIKE '{name}'")
    return row["state"]


@pytest.mark.fact(11, 20)
def test_a_started_task_runs_at_every_tick_until_it_is_suspended(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 11, 20."""
    log(f"CREATE TASK T {EACH_TICK} AS INSERT INTO LOG VALUES ('T')")
    assert logged(log) == []
    log("ALTER TASK T RESUME")
    eventually(lambda: len(logged(log)) >= 3)
    log("ALTER TASK T SUSPEND")
    wait_until_idle(cellar)
    count = len(logged(log))
    assert states(log) == ["SUCCEEDED"] * count
    times = [run["SCHEDULED_TIME"] for run in runs(log)]
    assert times == sorted(set(times))
    assert {run["SCHEDULED_FROM"] for run in runs(log)} == {"SCHEDULE"}


@pytest.mark.fact(13)
def test_a_resumed_child_under_a_suspended_root_does_nothing(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 13."""
    log(f"CREATE TASK ROOT {EACH_TICK} AS SELECT 1")
    log("CREATE TASK CHILD AFTER ROOT AS INSERT INTO LOG VALUES ('CHILD')")
    log("ALTER TASK CHILD RESUME")
    log(f"CREATE TASK OTHER {EACH_TICK} AS INSERT INTO LOG VALUES ('OTHER')")
    log("ALTER TASK OTHER RESUME")
    eventually(lambda: len(logged(log)) >= 3)
    assert "CHILD" not in logged(log)


@pytest.mark.fact(1, 9)
def test_a_stream_is_consumed_once_by_the_tick_that_finds_it_filled(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 1, 9."""
    log("CREATE STREAM S ON TABLE NUMBERS APPEND_ONLY = TRUE")
    log(
        f"CREATE TASK T WAREHOUSE = COMPUTE_WH {EACH_TICK} WHEN SYSTEM$STREAM_HAS_DATA('S') "
        "AS INSERT INTO LOG SELECT N::VARCHAR FROM S"
    )
    log("ALTER TASK T RESUME")
    eventually(lambda: "SKIPPED" in states(log))
    log("INSERT INTO NUMBERS VALUES (5001), (5002)")
    eventually(lambda: "SUCCEEDED" in states(log))
    ticks = len(states(log))
    eventually(lambda: len(states(log)) > ticks + 1)
    assert logged(log) == ["5001", "5002"]
    assert states(log).count("SUCCEEDED") == 1


def test_an_empty_tick_runs_no_statement(cellar: Warehouse, log: Query) -> None:
    """A schedule that finds nothing to do must cost next to nothing."""
    log("CREATE STREAM S ON TABLE NUMBERS APPEND_ONLY = TRUE")
    log(f"CREATE TASK T {EACH_TICK} WHEN SYSTEM$STREAM_HAS_DATA('S') AS INSERT INTO LOG SELECT 'x' FROM S")
    log("ALTER TASK T RESUME")
    eventually(lambda: states(log).count("SKIPPED") >= 3)
    assert [record.text for record in cellar.history.records() if record.user == "SYSTEM"] == []


def test_only_the_newest_skipped_runs_are_kept(
    cellar: Warehouse, log: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT_SKIPPED", 4)
    monkeypatch.setattr(history, "_PRUNE_EVERY", 5)
    log("CREATE TASK T SCHEDULE = '11520 MINUTES' WHEN 1 = 2 AS SELECT 1")
    log("CREATE TASK GOOD AS SELECT 1")
    log("EXECUTE TASK GOOD")
    wait_until_idle(cellar)
    for _ in range(12):
        log("EXECUTE TASK T")
        wait_until_idle(cellar)
    assert states(log)[0] == "SUCCEEDED"
    assert 4 <= states(log).count("SKIPPED") <= 9


@pytest.mark.fact(15)
def test_a_tick_that_falls_into_a_running_graph_is_passed_over(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """SEMANTICS 15: no overlap by default, children included."""
    log(f"CREATE TASK ROOT {EACH_TICK} AS INSERT INTO LOG VALUES ('ROOT')")
    log("CREATE TASK CHILD AFTER ROOT AS SELECT SYSTEM$TEST_GATE()")
    log("ALTER TASK CHILD RESUME")
    log(f"CREATE TASK OTHER {EACH_TICK} AS INSERT INTO LOG VALUES ('OTHER')")
    log("ALTER TASK ROOT RESUME")
    eventually(lambda: "EXECUTING" in states(log))
    log("ALTER TASK OTHER RESUME")
    eventually(lambda: logged(log).count("OTHER") >= 3)
    assert logged(log).count("ROOT") == 1
    gate.set()
    eventually(lambda: logged(log).count("ROOT") >= 2)


@pytest.mark.fact(15)
def test_children_may_overlap_where_the_policy_lets_them(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """SEMANTICS 15."""
    log(f"CREATE TASK ROOT {EACH_TICK} OVERLAP_POLICY = ALLOW_CHILD_OVERLAP AS SELECT 1")
    log("CREATE TASK CHILD AFTER ROOT AS SELECT SYSTEM$TEST_GATE()")
    log("ALTER TASK CHILD RESUME")
    log("ALTER TASK ROOT RESUME")
    eventually(lambda: states(log).count("EXECUTING") >= 2)
    gate.set()


@pytest.mark.fact(14, 15)
def test_execute_task_waits_for_the_run_that_is_under_way(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """SEMANTICS 14, 15."""
    log("CREATE TASK T AS SELECT SYSTEM$TEST_GATE()")
    log("EXECUTE TASK T")
    eventually(lambda: states(log) == ["EXECUTING"])
    log("EXECUTE TASK T")
    assert len(log("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE STATE = 'SCHEDULED'")) == 1
    gate.set()
    wait_until_idle(cellar)
    assert states(log) == ["SUCCEEDED", "SUCCEEDED"]
    first, second = runs(log)
    assert first["COMPLETED_TIME"] <= second["QUERY_START_TIME"]


@pytest.mark.fact(16)
def test_failures_in_a_row_suspend_the_root(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 16."""
    log(f"CREATE TASK ROOT {EACH_TICK} SUSPEND_TASK_AFTER_NUM_FAILURES = 3 AS SELECT 1")
    log("CREATE TASK CHILD AFTER ROOT AS SELECT 1 / 0")
    log("ALTER TASK CHILD RESUME")
    log("ALTER TASK ROOT RESUME")
    eventually(lambda: state_of(log, "ROOT") == "suspended")
    wait_until_idle(cellar)
    child = [run["STATE"] for run in runs(log) if run["NAME"] == "CHILD"]
    assert child == ["FAILED", "FAILED", "FAILED_AND_AUTO_SUSPENDED"]
    (root,) = log("SHOW TASKS LIKE 'ROOT'")
    assert root["last_suspended_reason"] == "SUSPENDED_DUE_TO_ERRORS"
    assert state_of(log, "CHILD") == "started"


@pytest.mark.fact(16)
def test_zero_failures_never_suspend_and_a_success_starts_the_count_again(
    cellar: Warehouse, log: Query
) -> None:
    """SEMANTICS 16."""
    log(f"CREATE TASK NEVER {EACH_TICK} SUSPEND_TASK_AFTER_NUM_FAILURES = 0 AS SELECT 1 / 0")
    log("ALTER TASK NEVER RESUME")
    eventually(lambda: states(log).count("FAILED") >= 12)
    assert state_of(log, "NEVER") == "started"
    log("DROP TASK NEVER")

    options = "SCHEDULE = '11520 MINUTES' SUSPEND_TASK_AFTER_NUM_FAILURES = 2"
    log(f"CREATE TASK T {options} AS SELECT 1 / (SELECT COUNT(*) FROM LOG)")
    log("ALTER TASK T RESUME")
    for statement in ("SELECT 1", "INSERT INTO LOG VALUES ('x')", "DELETE FROM LOG"):
        log(statement)
        log("EXECUTE TASK T")
        wait_until_idle(cellar)
    assert state_of(log, "T") == "started"
    log("EXECUTE TASK T")
    wait_until_idle(cellar)
    assert state_of(log, "T") == "suspended"


def test_a_condition_on_a_missing_stream_is_a_failed_run(cellar: Warehouse, log: Query) -> None:
    log(f"CREATE TASK T {EACH_TICK} WHEN SYSTEM$STREAM_HAS_DATA('NOWHERE') AS SELECT 1")
    log("ALTER TASK T RESUME")
    eventually(lambda: "FAILED" in states(log))
    assert "NOWHERE' does not exist or not authorized." in runs(log)[0]["ERROR_MESSAGE"]


@pytest.mark.fact(17)
def test_a_triggered_task_wakes_when_its_stream_fills(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 17."""
    log("CREATE STREAM S ON TABLE NUMBERS APPEND_ONLY = TRUE")
    log(
        "CREATE TASK T WAREHOUSE = COMPUTE_WH USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = 10 "
        "WHEN SYSTEM$STREAM_HAS_DATA('S') AS INSERT INTO LOG SELECT N::VARCHAR FROM S"
    )
    log("ALTER TASK T RESUME")
    log("INSERT INTO NUMBERS VALUES (5001)")
    eventually(lambda: logged(log) == ["5001"])
    log("INSERT INTO NUMBERS VALUES (5002)")
    eventually(lambda: logged(log) == ["5001", "5002"])
    wait_until_idle(cellar)
    assert [(run["STATE"], run["SCHEDULED_FROM"]) for run in runs(log)] == [("SUCCEEDED", "TRIGGER")] * 2


def test_a_dropped_schema_takes_its_tasks_along(cellar: Warehouse, log: Query) -> None:
    log("CREATE SCHEMA OTHER")
    log(f"CREATE TASK OTHER.T {EACH_TICK} WHEN 1 = 2 AS SELECT 1")
    log("ALTER TASK OTHER.T RESUME")
    log("CREATE TASK PUBLIC.KEPT AS SELECT 1")
    log("USE SCHEMA PUBLIC")
    log("DROP SCHEMA OTHER")
    assert [row["name"] for row in log("SHOW TASKS IN ACCOUNT")] == ["KEPT"]


def test_a_database_can_be_dropped_and_made_again_while_its_task_runs(cellar: Warehouse, log: Query) -> None:
    log(f"CREATE TASK T AS {ENDLESS}")
    log("CREATE TASK W AS SELECT SYSTEM$WAIT(600)")
    for name in ("T", "W"):
        log(f"EXECUTE TASK {name}")
    eventually(lambda: states(log) == ["EXECUTING", "EXECUTING"])
    log("DROP DATABASE CELLAR_DB")
    log("CREATE DATABASE CELLAR_DB")
    assert log("SHOW TASKS") == []
    assert runs(log) == []


def test_a_dropped_database_takes_its_clock_along(cellar: Warehouse, log: Query) -> None:
    log(f"CREATE TASK T {EACH_TICK} WHEN 1 = 2 AS SELECT 1")
    log("ALTER TASK T RESUME")
    eventually(lambda: "SKIPPED" in states(log))
    log("DROP DATABASE CELLAR_DB")
    assert cellar.tasks.tasks == {}
    log("CREATE DATABASE CELLAR_DB")
    assert log("SHOW TASKS") == []
