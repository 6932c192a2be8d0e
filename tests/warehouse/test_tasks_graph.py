"""Runs of task graphs: order, conditions, failures, retries, time limits, return values."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlglot import exp

from snowcellar.grants import functions as access
from snowcellar.session import Session
from snowcellar.tasks import functions
from snowcellar.tasks.task import TaskError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import DEADLINE_SECONDS, Query, eventually

ENDLESS = (
    "INSERT INTO LOG SELECT COUNT(*)::VARCHAR FROM NUMBERS A, NUMBERS B, NUMBERS C, NUMBERS D, NUMBERS E"
)


@pytest.fixture
def log(query: Query) -> Query:
    """A table LOG(WHO) for tasks to write to, and NUMBERS for those that are to take long."""
    query("CREATE TABLE LOG (WHO VARCHAR)")
    query("CREATE TABLE NUMBERS (N INT)")
    query("INSERT INTO NUMBERS SELECT SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 1000))")
    return query


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """What SYSTEM$TEST_GATE() waits for: a task that calls it runs until the test lets it go."""
    event = threading.Event()

    def wait(session: Session, arguments: Sequence[str]) -> exp.Expression:
        assert event.wait(DEADLINE_SECONDS), "the test never opened the gate"
        return exp.Literal.string("open")

    monkeypatch.setitem(functions.SYSTEM_FUNCTIONS, "SYSTEM$TEST_GATE", wait)
    monkeypatch.setitem(access.CHECKS, "SYSTEM$TEST_GATE", access.free)
    return event


def create(query: Query, name: str, after: str = "", clauses: str = "", body: str = "") -> None:
    """A task that writes its name to LOG; a root on a schedule that does not come round in a test."""
    place = f"AFTER {after}" if after else "" if "FINALIZE" in clauses else "SCHEDULE = '11520 MINUTES'"
    options, _, condition = clauses.partition("WHEN ")
    when = f"WHEN {condition}" if condition else ""
    body = body or f"INSERT INTO LOG VALUES ('{name}')"
    query(f"CREATE TASK {name} WAREHOUSE = COMPUTE_WH {options} {place} {when} AS {body}")
    if after or "FINALIZE" in clauses:
        query(f"ALTER TASK {name} RESUME")


def runs(query: Query) -> list[dict[str, Any]]:
    """The finished and running runs, oldest first."""
    return query(
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000)) "
        "WHERE STATE <> 'SCHEDULED' ORDER BY SCHEDULED_TIME, ATTEMPT_NUMBER"
    )


def run_graph(cellar: Warehouse, query: Query, statement: str = "EXECUTE TASK ROOT") -> dict[str, str]:
    """Run the graph once and answer with the last state of each task that has a row."""
    query(statement)
    wait_until_idle(cellar)
    return {run["NAME"]: run["STATE"] for run in runs(query)}


def wait_until_idle(cellar: Warehouse) -> None:
    """Wait until no graph runs or waits to run."""
    assert cellar.tasks.scheduler is not None
    eventually(cellar.tasks.scheduler.is_idle, "the graphs end")


def logged(query: Query) -> list[str]:
    return sorted(row["WHO"] for row in query("SELECT WHO FROM LOG"))


@pytest.mark.fact(12)
def test_a_task_runs_after_all_its_predecessors(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 12."""
    create(log, "ROOT")
    create(log, "A", "ROOT")
    create(log, "B", "A")
    create(log, "C", "ROOT, B")
    assert run_graph(cellar, log) == dict.fromkeys(("ROOT", "A", "B", "C"), "SUCCEEDED")
    ended = {run["NAME"]: run for run in runs(log)}
    for before, after in (("ROOT", "A"), ("A", "B"), ("B", "C")):
        assert ended[before]["COMPLETED_TIME"] <= ended[after]["QUERY_START_TIME"]
    assert logged(log) == ["A", "B", "C", "ROOT"]


def test_tasks_that_do_not_depend_on_each_other_run_at_the_same_time(
    cellar: Warehouse, log: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = threading.Barrier(2, timeout=DEADLINE_SECONDS)

    def meet(session: Session, arguments: Sequence[str]) -> exp.Expression:
        barrier.wait()
        return exp.true()

    monkeypatch.setitem(functions.SYSTEM_FUNCTIONS, "SYSTEM$TEST_MEET", meet)
    monkeypatch.setitem(access.CHECKS, "SYSTEM$TEST_MEET", access.free)
    create(log, "ROOT")
    create(log, "A", "ROOT", body="SELECT SYSTEM$TEST_MEET()")
    create(log, "B", "ROOT", body="SELECT SYSTEM$TEST_MEET()")
    assert run_graph(cellar, log) == dict.fromkeys(("ROOT", "A", "B"), "SUCCEEDED")


@pytest.mark.fact(12)
def test_a_false_condition_skips_the_task_and_holds_back_what_follows(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 12."""
    create(log, "ROOT")
    create(log, "A", "ROOT", clauses="WHEN 1 = 2")
    create(log, "B", "A")
    create(log, "C", "ROOT")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "A": "SKIPPED", "C": "SUCCEEDED"}
    (skipped,) = [run for run in runs(log) if run["NAME"] == "A"]
    assert (skipped["ERROR_CODE"], skipped["ERROR_MESSAGE"], skipped["QUERY_ID"]) == (
        *("0040003", "Conditional expression for task evaluated to false.", None),
    )
    assert logged(log) == ["C", "ROOT"]


def test_execute_task_does_not_pass_by_the_roots_condition(cellar: Warehouse, log: Query) -> None:
    create(log, "ROOT", clauses="WHEN 1 = 2")
    assert run_graph(cellar, log) == {"ROOT": "SKIPPED"}
    assert logged(log) == []


@pytest.mark.fact(12, 14)
def test_a_suspended_child_is_passed_over_as_if_it_had_succeeded(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 12, 14."""
    create(log, "ROOT")
    create(log, "A", "ROOT")
    create(log, "B", "A")
    log("ALTER TASK A SUSPEND")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "B": "SUCCEEDED"}
    assert logged(log) == ["B", "ROOT"]


@pytest.mark.fact(12, 22, 29)
def test_a_failure_is_recorded_and_holds_back_what_follows(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 12, 22, 29."""
    create(log, "ROOT")
    create(log, "A", "ROOT", body="INSERT INTO LOG SELECT (1 / 0)::VARCHAR")
    create(log, "B", "A")
    create(log, "C", "ROOT")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "A": "FAILED", "C": "SUCCEEDED"}
    (failed,) = [run for run in runs(log) if run["NAME"] == "A"]
    assert (failed["ERROR_CODE"], failed["ERROR_MESSAGE"]) == ("100051", "Division by zero")
    assert failed["QUERY_ID"] is not None


def test_a_failed_childs_backlog_drains_when_the_root_watches_its_stream(
    cellar: Warehouse, log: Query
) -> None:
    """PITFALL 14: a root that watches only the raw stream would leave the backlog lying."""
    for table in ("RAW", "STAGED", "FINAL"):
        log(f"CREATE TABLE {table} (N INT)")
    log("CREATE STREAM RAW_STREAM ON TABLE RAW APPEND_ONLY = TRUE")
    log("CREATE STREAM STAGED_STREAM ON TABLE STAGED APPEND_ONLY = TRUE")
    watched = "SYSTEM$STREAM_HAS_DATA('RAW_STREAM')"
    stage = "INSERT INTO STAGED SELECT N FROM RAW_STREAM"
    create(log, "ROOT", clauses=f"WHEN {watched}", body=stage)
    finish = "INSERT INTO FINAL SELECT N / (SELECT COUNT(*) FROM LOG) FROM STAGED_STREAM"
    create(log, "CHILD", "ROOT", clauses="WHEN SYSTEM$STREAM_HAS_DATA('STAGED_STREAM')", body=finish)
    log("INSERT INTO RAW VALUES (7)")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "CHILD": "FAILED"}

    log("INSERT INTO LOG VALUES ('mended')")
    assert run_graph(cellar, log)["ROOT"] == "SKIPPED"
    assert log("SELECT * FROM FINAL") == []

    log(f"ALTER TASK ROOT MODIFY WHEN {watched} OR SYSTEM$STREAM_HAS_DATA('STAGED_STREAM')")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "CHILD": "SUCCEEDED"}
    assert log("SELECT N::INT AS N FROM FINAL") == [{"N": 7}]


@pytest.mark.fact(14)
def test_execute_task_answers_at_once_and_runs_a_suspended_root(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """SEMANTICS 14."""
    create(log, "ROOT", body="SELECT SYSTEM$TEST_GATE()")
    (answer,) = log("EXECUTE TASK ROOT")
    assert answer["status"] == "Task ROOT is scheduled to run immediately."
    (run,) = eventually(lambda: [run for run in runs(log) if run["STATE"] == "EXECUTING"])
    assert (run["SCHEDULED_FROM"], run["COMPLETED_TIME"]) == ("EXECUTE TASK", None)
    gate.set()
    wait_until_idle(cellar)
    assert [run["STATE"] for run in runs(log)] == ["SUCCEEDED"]
    assert log("SHOW TASKS")[0]["state"] == "suspended"


@pytest.mark.fact(14)
def test_retry_last_runs_only_what_did_not_succeed(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 14."""
    create(log, "ROOT")
    create(log, "A", "ROOT", body="INSERT INTO LATER VALUES (1)")
    create(log, "B", "A")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "A": "FAILED"}
    log("CREATE TABLE LATER (N INT)")
    assert run_graph(cellar, log, "EXECUTE TASK ROOT RETRY LAST") == dict.fromkeys(
        ("ROOT", "A", "B"), "SUCCEEDED"
    )
    assert logged(log) == ["B", "ROOT"]
    assert [(run["NAME"], run["ATTEMPT_NUMBER"], run["SCHEDULED_FROM"]) for run in runs(log)] == [
        ("ROOT", 1, "EXECUTE TASK"),
        ("A", 1, "EXECUTE TASK"),
        ("A", 2, "MANUAL RETRY"),
        ("B", 2, "MANUAL RETRY"),
    ]
    assert len({run["GRAPH_RUN_GROUP_ID"] for run in runs(log)}) == 1
    with pytest.raises(TaskError, match="had no failures"):
        log("EXECUTE TASK ROOT RETRY LAST")


@pytest.mark.fact(16)
def test_automatic_retries_rerun_the_failed_part(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 16."""
    create(log, "ROOT", clauses="TASK_AUTO_RETRY_ATTEMPTS = 2")
    create(log, "A", "ROOT", body="SELECT 1 / 0")
    run_graph(cellar, log)
    assert [
        (run["NAME"], run["ATTEMPT_NUMBER"], run["STATE"], run["SCHEDULED_FROM"]) for run in runs(log)
    ] == [
        ("ROOT", 1, "SUCCEEDED", "EXECUTE TASK"),
        ("A", 1, "FAILED", "EXECUTE TASK"),
        ("A", 2, "FAILED", "AUTOMATIC RETRY"),
        ("A", 3, "FAILED", "AUTOMATIC RETRY"),
    ]


@pytest.mark.fact(19)
def test_a_finalizer_runs_after_a_failure_but_not_after_a_skipped_root(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 19."""
    create(log, "ROOT", clauses="WHEN 1 = 1")
    create(log, "A", "ROOT", body="SELECT 1 / 0")
    create(log, "Z", clauses="FINALIZE = ROOT")
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "A": "FAILED", "Z": "SUCCEEDED"}
    log("ALTER TASK ROOT MODIFY WHEN 1 = 2")
    run_graph(cellar, log)
    assert [run["NAME"] for run in runs(log)].count("Z") == 1


@pytest.mark.fact(16)
def test_a_task_that_takes_too_long_is_stopped_and_undone(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 16: USER_TASK_TIMEOUT_MS; of a root it limits the whole graph."""
    create(log, "ROOT")
    create(log, "A", "ROOT", clauses="USER_TASK_TIMEOUT_MS = 300", body=ENDLESS)
    assert run_graph(cellar, log) == {"ROOT": "SUCCEEDED", "A": "FAILED"}
    failed = runs(log)[-1]
    assert failed["ERROR_CODE"] == "000630"
    assert failed["ERROR_MESSAGE"] == (
        "Statement reached its statement or warehouse timeout of 0.3 second(s) and was canceled."
    )
    assert logged(log) == ["ROOT"]


def test_ongoing_executions_can_be_cancelled(cellar: Warehouse, log: Query) -> None:
    create(log, "ROOT", body=ENDLESS)
    create(log, "A", "ROOT")
    log("EXECUTE TASK ROOT")
    eventually(lambda: [run for run in runs(log) if run["STATE"] == "EXECUTING"])
    log("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('ROOT')")
    wait_until_idle(cellar)
    assert [(run["NAME"], run["STATE"]) for run in runs(log)] == [("ROOT", "CANCELLED")]
    assert logged(log) == []


@pytest.mark.fact(20, 22)
def test_a_return_value_reaches_the_successors_and_the_history(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 20, 22."""
    create(log, "ROOT", body="CALL SYSTEM$SET_RETURN_VALUE('{\"rows\":' || 3 || '}')")
    create(log, "A", "ROOT", body="INSERT INTO LOG SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE()")
    create(log, "B", "ROOT", clauses="WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT') LIKE '%4%'")
    create(log, "C", "ROOT, A", body="INSERT INTO LOG SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('ROOT')")
    states = run_graph(cellar, log)
    assert states == {"ROOT": "SUCCEEDED", "A": "SUCCEEDED", "B": "SKIPPED", "C": "SUCCEEDED"}
    assert logged(log) == ['{"rows":3}', '{"rows":3}']
    assert runs(log)[0]["RETURN_VALUE"] == '{"rows":3}'


def test_a_run_knows_where_it_stands(cellar: Warehouse, log: Query) -> None:
    columns = "ROOT VARCHAR, TASK VARCHAR, NAME VARCHAR, GRAPH VARCHAR, DUE TIMESTAMP_LTZ, ENV VARCHAR"
    log(f"CREATE TABLE INFO ({columns})")
    create(log, "ROOT", clauses='CONFIG = \'{"env": "prod", "a": {"b": 1, "c": 2}}\'')
    body = (
        "INSERT INTO INFO SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_ROOT_TASK_NAME'), "
        "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME'), SYSTEM$CURRENT_USER_TASK_NAME(), "
        "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID'), "
        "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP')::TIMESTAMP_LTZ, "
        "SYSTEM$GET_TASK_GRAPH_CONFIG('env') || SYSTEM$GET_TASK_GRAPH_CONFIG('a')"
    )
    create(log, "A", "ROOT", body=body)
    states = run_graph(cellar, log, 'EXECUTE TASK ROOT USING CONFIG = \'{"env": "test", "a": {"b": 7}}\'')
    assert states == {"ROOT": "SUCCEEDED", "A": "SUCCEEDED"}, runs(log)
    root = runs(log)[0]
    (info,) = log("SELECT * FROM INFO")
    assert (info["ROOT"], info["TASK"], info["NAME"], info["ENV"]) == ("ROOT", "A", "A", 'test{"b":7,"c":2}')
    assert info["GRAPH"] == root["GRAPH_RUN_GROUP_ID"]
    assert abs((info["DUE"] - root["SCHEDULED_TIME"]).total_seconds()) < 0.001


@pytest.mark.fact(20)
def test_a_task_runs_in_its_own_schema_as_its_owner_with_its_parameters(
    cellar: Warehouse, log: Query
) -> None:
    """SEMANTICS 20."""
    log("CREATE SCHEMA OTHER")
    log("CREATE TABLE OTHER.SEEN (S VARCHAR, R VARCHAR, U VARCHAR, H INT)")
    log("USE SCHEMA PUBLIC")
    log("CREATE ROLE TRANSFORMER")
    log("GRANT ROLE TRANSFORMER TO ROLE SYSADMIN")
    log("GRANT USAGE ON DATABASE CELLAR_DB TO ROLE TRANSFORMER")
    log("GRANT USAGE ON WAREHOUSE COMPUTE_WH TO ROLE TRANSFORMER")
    log("GRANT USAGE, CREATE TASK ON SCHEMA OTHER TO ROLE TRANSFORMER")
    log("GRANT SELECT, INSERT ON TABLE OTHER.SEEN TO ROLE TRANSFORMER")
    log("GRANT EXECUTE TASK, EXECUTE MANAGED TASK ON ACCOUNT TO ROLE TRANSFORMER")
    log("USE ROLE TRANSFORMER")
    hour = "HOUR('2026-01-01T00:00:00Z'::TIMESTAMP_LTZ)"
    body = f"INSERT INTO SEEN SELECT CURRENT_SCHEMA(), CURRENT_ROLE(), CURRENT_USER(), {hour}"
    log(f"CREATE TASK OTHER.T TIMEZONE = 'Asia/Tokyo' AS {body}")
    run_graph(cellar, log, "EXECUTE TASK OTHER.T")
    assert runs(log)[-1]["ERROR_MESSAGE"] is None
    (seen,) = log("SELECT * FROM OTHER.SEEN")
    assert seen == {"S": "OTHER", "R": "TRANSFORMER", "U": "SYSTEM", "H": 9}


@pytest.mark.fact(20, 25)
def test_a_transaction_left_open_by_a_task_is_a_failure(cellar: Warehouse, log: Query) -> None:
    """SEMANTICS 20, 25."""
    log("CREATE TASK T AS BEGIN TRANSACTION")
    assert run_graph(cellar, log, "EXECUTE TASK T") == {"T": "FAILED"}


@pytest.mark.fact(20)
def test_a_run_keeps_the_version_of_the_graph_that_it_began_with(
    cellar: Warehouse, log: Query, gate: threading.Event
) -> None:
    """SEMANTICS 20."""
    create(log, "ROOT", body="SELECT SYSTEM$TEST_GATE()")
    create(log, "A", "ROOT")
    log("EXECUTE TASK ROOT")
    eventually(lambda: [run for run in runs(log) if run["STATE"] == "EXECUTING"])
    log("ALTER TASK A MODIFY AS INSERT INTO LOG VALUES ('new')")
    gate.set()
    wait_until_idle(cellar)
    assert logged(log) == ["A"]
    run_graph(cellar, log)
    assert logged(log) == ["A", "new"]
    assert [run["GRAPH_VERSION"] for run in runs(log)] == [1, 1, 2, 2]
