"""CREATE, ALTER, DROP and SHOW TASK: what Snowflake accepts and what it refuses, in its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import snowflake.connector.errors

from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.tasks.schedule import interval_seconds
from snowcellar.tasks.task import RootNotSuspended, TaskError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import DATABASE, Query, rows_of

NOT_SUSPENDED = (
    f"Unable to update graph with root task {DATABASE}.PUBLIC.ROOT since that root task is not suspended."
)
NON_ROOT = (
    f"Execute task cannot be called on non-root task {DATABASE}.PUBLIC.CHILD. "
    "Call EXECUTE TASK on the root task of its graph instead."
)


@pytest.fixture
def started_graph(query: Query) -> Query:
    """ROOT and its child CHILD, both started, on a schedule that does not come round in a test."""
    query("CREATE TASK ROOT WAREHOUSE = COMPUTE_WH SCHEDULE = '11520 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD WAREHOUSE = COMPUTE_WH AFTER ROOT AS SELECT 2")
    query("ALTER TASK CHILD RESUME")
    query("ALTER TASK ROOT RESUME")
    return query


def shown(query: Query, name: str) -> dict[str, Any]:
    (row,) = query(f"SHOW TASKS LIKE '{name}'")
    return row


@pytest.mark.fact(11)
def test_a_task_is_created_suspended(query: Query) -> None:
    """SEMANTICS 11."""
    query("CREATE TASK T SCHEDULE = '1 MINUTE' AS SELECT 1")
    assert shown(query, "T")["state"] == "suspended"


@pytest.mark.fact(11)
def test_replacing_a_task_suspends_it_under_a_new_id(query: Query) -> None:
    """SEMANTICS 11."""
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD AFTER ROOT AS SELECT 1")
    query("ALTER TASK CHILD RESUME")
    before = shown(query, "CHILD")
    query("CREATE OR REPLACE TASK CHILD AFTER ROOT AS SELECT 2")
    after = shown(query, "CHILD")
    assert (before["state"], after["state"], after["definition"]) == ("started", "suspended", "SELECT 2")
    assert before["id"] != after["id"]


def test_create_or_alter_keeps_identity_and_state(query: Query) -> None:
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD COMMENT = 'old' AFTER ROOT AS SELECT 1")
    query("ALTER TASK CHILD RESUME")
    before = shown(query, "CHILD")
    query("CREATE OR ALTER TASK CHILD AFTER ROOT AS SELECT 2")
    after = shown(query, "CHILD")
    assert (after["id"], after["state"]) == (before["id"], "started")
    assert (after["definition"], after["comment"]) == ("SELECT 2", "")


@pytest.mark.fact(21)
def test_show_tasks_says_what_the_guide_looks_for(started_graph: Query) -> None:
    """SEMANTICS 21."""
    rows = started_graph(f"SHOW TASKS IN DATABASE {DATABASE}")
    assert [(row["name"], row["state"], row["schedule"]) for row in rows] == [
        ("CHILD", "started", None),
        ("ROOT", "started", "11520 MINUTES"),
    ]
    child = rows[0]
    assert child["predecessors"] == f'["{DATABASE}.PUBLIC.ROOT"]'
    assert child["task_relations"] == f'{{"Predecessors":["{DATABASE}.PUBLIC.ROOT"]}}'
    assert child["definition"] == "SELECT 2"
    assert (child["warehouse"], child["owner"]) == ("COMPUTE_WH", "ACCOUNTADMIN")


def test_describe_task_gives_the_row_of_show_tasks(started_graph: Query) -> None:
    assert started_graph("DESCRIBE TASK ROOT") == [shown(started_graph, "ROOT")]


@pytest.mark.fact(13)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE TASK CHILD AFTER ROOT AS SELECT 3",
        "CREATE OR REPLACE TASK ROOT SCHEDULE = '1 MINUTE' AS SELECT 3",
        "CREATE OR ALTER TASK ROOT SCHEDULE = '1 MINUTE' AS SELECT 3",
        "CREATE TASK OTHER AFTER ROOT AS SELECT 3",
        "CREATE TASK LAST FINALIZE = ROOT AS SELECT 3",
        "ALTER TASK CHILD SUSPEND",
        "ALTER TASK CHILD RESUME",
        "ALTER TASK ROOT SET COMMENT = 'x'",
        "ALTER TASK CHILD MODIFY AS SELECT 3",
        "ALTER TASK CHILD REMOVE AFTER ROOT",
        "DROP TASK CHILD",
        "DROP TASK ROOT",
    ],
)
def test_a_graph_whose_root_is_started_cannot_be_changed(started_graph: Query, statement: str) -> None:
    """SEMANTICS 13, PITFALL 15: the deploy script that forgets to suspend the root must fail here too."""
    with pytest.raises(RootNotSuspended) as refusal:
        started_graph(statement)
    assert (refusal.value.errno, refusal.value.sqlstate, refusal.value.message) == (
        91421,
        "22000",
        NOT_SUSPENDED,
    )


@pytest.mark.fact(13)
def test_a_root_resumed_before_its_children_leaves_them_suspended(query: Query) -> None:
    """SEMANTICS 13, PITFALL 15: the order of the resumes is not free."""
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD AFTER ROOT AS SELECT 2")
    query("ALTER TASK ROOT RESUME")
    with pytest.raises(RootNotSuspended):
        query("ALTER TASK CHILD RESUME")
    assert shown(query, "CHILD")["state"] == "suspended"


@pytest.mark.fact(13)
def test_a_suspended_root_lets_its_graph_be_changed(started_graph: Query) -> None:
    """SEMANTICS 13."""
    started_graph("ALTER TASK ROOT SUSPEND")
    started_graph("ALTER TASK CHILD MODIFY AS SELECT 3")
    child, root = shown(started_graph, "CHILD"), shown(started_graph, "ROOT")
    assert (child["state"], child["definition"]) == ("started", "SELECT 3")
    assert (root["state"], root["last_suspended_reason"]) == ("suspended", "USER_SUSPENDED")


@pytest.mark.fact(13)
def test_task_dependents_enable_resumes_the_whole_graph(query: Query) -> None:
    """SEMANTICS 13."""
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK A AFTER ROOT AS SELECT 2")
    query("CREATE TASK B AFTER A AS SELECT 2")
    query("CREATE TASK Z FINALIZE = ROOT AS SELECT 2")
    query("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('ROOT')")
    assert {row["name"]: row["state"] for row in query("SHOW TASKS")} == dict.fromkeys(
        ("A", "B", "ROOT", "Z"), "started"
    )


@pytest.mark.fact(11, 14, 19)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "CREATE TASK C SCHEDULE = '1 MINUTE' AFTER ROOT AS SELECT 1",
            "Task C cannot have both a schedule and a predecessor.",
        ),
        (
            "ALTER TASK CHILD SET SCHEDULE = '1 MINUTE'",
            "Task CHILD cannot have both a schedule and a predecessor.",
        ),
        ("ALTER TASK ROOT ADD AFTER CHILD", "Task ROOT cannot have both a schedule and a predecessor."),
        ("CREATE TASK C AFTER NOBODY AS SELECT 1", "Invalid predecessor NOBODY was specified."),
        ("CREATE TASK C AFTER C AS SELECT 1", "Task C cannot use itself as its predecessor."),
        ("CREATE TASK C AFTER OTHER.R AS SELECT 1", "Cannot have predecessor R from a different schema."),
        ("ALTER TASK CHILD REMOVE AFTER C", "Task CHILD does not have predecessor C."),
        (
            "CREATE TASK C CONFIG = '{}' AFTER ROOT AS SELECT 1",
            f"Task {DATABASE}.PUBLIC.C cannot both be a non-root task and have a config.",
        ),
        (
            "CREATE TASK C FINALIZE = ROOT SCHEDULE = '1 MINUTE' AS SELECT 1",
            "Task C cannot have a schedule and be a finalizer task.",
        ),
        ("CREATE TASK C FINALIZE = NOBODY AS SELECT 1", "Invalid finalized root task NOBODY was specified."),
        (
            "CREATE TASK C FINALIZE = CHILD AS SELECT 1",
            f"Task {DATABASE}.PUBLIC.C cannot finalize a non-root task {DATABASE}.PUBLIC.CHILD.",
        ),
        (
            "ALTER TASK ROOT SET CONFIG = '[1]'",
            "Invalid config. Must be a string representation of a valid JSON Object.",
        ),
        ("EXECUTE TASK CHILD", NON_ROOT),
        (
            "EXECUTE TASK ROOT RETRY LAST",
            "Cannot perform retry: no suitable run of graph with root task ROOT to retry.",
        ),
    ],
)
def test_what_a_graph_cannot_hold_is_refused_in_snowflakes_words(
    query: Query, statement: str, message: str
) -> None:
    """SEMANTICS 11, 14, 19."""
    query("CREATE SCHEMA OTHER")
    query("CREATE TASK OTHER.R AS SELECT 1")
    query("USE SCHEMA PUBLIC")
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD AFTER ROOT AS SELECT 2")
    with pytest.raises(TaskError) as refusal:
        query(statement)
    assert refusal.value.message == message


def test_a_circle_of_tasks_is_refused(query: Query) -> None:
    query("CREATE TASK A AS SELECT 1")
    query("CREATE TASK B AFTER A AS SELECT 1")
    query("CREATE TASK C AFTER B AS SELECT 1")
    with pytest.raises(TaskError, match="which runs after it"):
        query("ALTER TASK A ADD AFTER C")


@pytest.mark.fact(20)
@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("10 SECONDS", 10),
        ("90 s", 90),
        ("1 MINUTE", 60),
        ("5 M", 300),
        ("2 hours", 7200),
        ("11520 MINUTES", 691_200),
    ],
)
def test_an_interval_is_seconds_minutes_or_hours(schedule: str, seconds: int) -> None:
    """SEMANTICS 20."""
    assert interval_seconds(schedule) == seconds


@pytest.mark.fact(20)
@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("9 SECONDS", "Cannot set schedule less than 10 seconds."),
        ("11521 MINUTES", "Cannot set schedule greater than 11,520 minutes."),
        ("1 DAY", "Invalid schedule was specified."),
        ("0 MINUTES", "Invalid schedule was specified."),
        ("soon", "Invalid schedule was specified."),
    ],
)
def test_a_schedule_out_of_bounds_is_refused(query: Query, schedule: str, message: str) -> None:
    """SEMANTICS 20."""
    with pytest.raises(TaskError) as refusal:
        query(f"CREATE TASK T SCHEDULE = '{schedule}' AS SELECT 1")
    assert refusal.value.message.startswith(message)


@pytest.mark.parametrize(
    ("clauses", "named"),
    [
        ("AS BEGIN LET X := 1; INSERT INTO T VALUES (:X); END", "LET in a Snowflake Scripting block"),
        ("ERROR_INTEGRATION = X AS SELECT 1", "ERROR_INTEGRATION"),
        ("TARGET_COMPLETION_INTERVAL = '5 MINUTES' AS SELECT 1", "TARGET_COMPLETION_INTERVAL"),
        ("STATEMENT_TIMEOUT_IN_SECONDS = 5 AS SELECT 1", "STATEMENT_TIMEOUT_IN_SECONDS"),
        ("EXECUTE AS USER SOMEBODY AS SELECT 1", "EXECUTE AS USER"),
        ("WITH TAG (A = 'b') AS SELECT 1", "WITH TAG"),
    ],
)
def test_what_only_snowflake_does_is_refused_by_name(query: Query, clauses: str, named: str) -> None:
    """PITFALL 37: nothing is accepted that is not done."""
    with pytest.raises(Unsupported, match=named):
        query(f"CREATE TASK T {clauses}")
    assert query("SHOW TASKS") == []


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ("NOT_A_PROPERTY = 1 AS SELECT 1", "invalid property 'NOT_A_PROPERTY' for 'TASK'"),
        ("COMMENT = 'a' COMMENT = 'b' AS SELECT 1", "duplicate property 'COMMENT'"),
        ("OVERLAP_POLICY = BOGUS AS SELECT 1", "invalid value 'BOGUS' for property 'OVERLAP_POLICY'"),
        (
            "USER_TASK_TIMEOUT_MS = '5000' AS SELECT 1",
            "invalid value ['5000'] for parameter 'USER_TASK_TIMEOUT_MS'",
        ),
        (
            "TASK_AUTO_RETRY_ATTEMPTS = 31 AS SELECT 1",
            "invalid value [31] for parameter 'TASK_AUTO_RETRY_ATTEMPTS'",
        ),
        ("TIMEZONE = 'Not/AZone' AS SELECT 1", "invalid value [Not/AZone] for parameter 'TIMEZONE'"),
        ("SCHEDULE = '1 MINUTE'", "a task needs AS and a statement"),
        ("AS SELECT 1; SELECT 2", "a task runs one statement"),
    ],
)
def test_a_property_that_no_task_has_is_refused(query: Query, clauses: str, message: str) -> None:
    with pytest.raises(CompilationError) as refusal:
        query(f"CREATE TASK T {clauses}")
    assert message in refusal.value.message


@pytest.mark.fact(20)
def test_autocommit_false_is_refused(query: Query) -> None:
    """SEMANTICS 20."""
    with pytest.raises(TaskError, match="The parameter AUTOCOMMIT = false is not supported with Tasks"):
        query("CREATE TASK T AUTOCOMMIT = FALSE AS SELECT 1")


@pytest.mark.fact(18)
@pytest.mark.parametrize(
    "condition",
    [
        "SYSTEM$STREAM_HAS_DATA('S')",
        "SYSTEM$STREAM_HAS_DATA('S') OR NOT SYSTEM$STREAM_HAS_DATA('PUBLIC.S')",
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R')::INT > 3",
        "1 = 1",
    ],
)
def test_a_condition_may_ask_streams_and_predecessors(query: Query, condition: str) -> None:
    """SEMANTICS 18."""
    query(f"CREATE TASK T SCHEDULE = '1 MINUTE' WHEN {condition} AS SELECT 1")
    assert shown(query, "T")["condition"] == condition


@pytest.mark.fact(18)
@pytest.mark.parametrize(
    "condition",
    ["CURRENT_TIMESTAMP() > '2020-01-01'", "(SELECT COUNT(*) FROM T) > 0", "UPPER('a') = 'A'", "X > 1"],
)
def test_a_condition_may_ask_nothing_else(query: Query, condition: str) -> None:
    """SEMANTICS 18."""
    with pytest.raises(TaskError, match="Invalid expression for task condition expression"):
        query(f"CREATE TASK T SCHEDULE = '1 MINUTE' WHEN {condition} AS SELECT 1")


def test_clauses_may_hold_the_words_that_separate_them(query: Query) -> None:
    query(
        'CREATE TASK T WAREHOUSE = COMPUTE_WH, SCHEDULE = \'1 MINUTE\' CONFIG = $${"as": "when"}$$ '
        "COMMENT = 'AS ''WHEN'' AFTER' -- AS SELECT 0\n WHEN CAST(1 AS INT) = 1\n"
        "AS\n  SELECT 'AS; x' AS A /* b */;"
    )
    row = shown(query, "T")
    assert (row["config"], row["comment"]) == ('{"as": "when"}', "AS 'WHEN' AFTER")
    assert (row["condition"], row["definition"]) == ("CAST(1 AS INT) = 1", "SELECT 'AS; x' AS A /* b */")


@pytest.mark.fact(32)
def test_quoted_and_qualified_names_are_kept_exactly(query: Query) -> None:
    """SEMANTICS 32."""
    query(f'CREATE TASK {DATABASE}.PUBLIC."my root" AS SELECT 1')
    query(f"CREATE TASK IDENTIFIER('{DATABASE}.PUBLIC.KID') AFTER PUBLIC.\"my root\" AS SELECT 1")
    assert shown(query, "my root")["name"] == "my root"
    assert shown(query, "KID")["predecessors"] == f'["{DATABASE}.PUBLIC.\\"my root\\""]'


def test_properties_can_be_set_and_unset(query: Query) -> None:
    query("CREATE TASK T SCHEDULE = '60 MINUTES' COMMENT = 'a' AS SELECT 1")
    query("ALTER TASK T SET COMMENT = 'b', OVERLAP_POLICY = ALLOW_CHILD_OVERLAP, TIMEZONE = 'UTC'")
    row = shown(query, "T")
    assert (row["comment"], row["overlap_policy"], row["allow_overlapping_execution"]) == (
        *("b", "ALLOW_CHILD_OVERLAP", "true"),
    )
    query("ALTER TASK T UNSET COMMENT, ALLOW_OVERLAPPING_EXECUTION, TIMEZONE")
    row = shown(query, "T")
    assert (row["comment"], row["overlap_policy"], row["schedule"]) == ("", "NO_OVERLAP", "60 MINUTES")


def test_if_not_exists_and_if_exists_do_what_they_say(query: Query) -> None:
    query("ALTER TASK IF EXISTS T SUSPEND")
    query("DROP TASK IF EXISTS T")
    query("CREATE TASK T AS SELECT 1")
    query("CREATE TASK IF NOT EXISTS T AS SELECT 2")
    assert shown(query, "T")["definition"] == "SELECT 1"
    with pytest.raises(ObjectExists):
        query("CREATE TASK T AS SELECT 2")
    query("DROP TASK T")
    for statement in ("ALTER TASK T RESUME", "DROP TASK T", "DESCRIBE TASK T", "EXECUTE TASK T"):
        with pytest.raises(ObjectNotFound):
            query(statement)


def test_a_task_without_a_clock_cannot_be_resumed(query: Query) -> None:
    query("CREATE TASK T AS SELECT 1")
    with pytest.raises(TaskError, match="no schedule, no predecessor and no WHEN on a stream"):
        query("ALTER TASK T RESUME")


def test_dropping_a_predecessor_frees_its_children(query: Query) -> None:
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' AS SELECT 1")
    query("CREATE TASK CHILD AFTER ROOT AS SELECT 2")
    query("CREATE TASK LAST FINALIZE = ROOT AS SELECT 2")
    query("ALTER TASK CHILD RESUME")
    query("DROP TASK ROOT")
    child, last = shown(query, "CHILD"), shown(query, "LAST")
    assert (child["predecessors"], child["state"]) == ("[]", "suspended")
    assert last["task_relations"] == '{"Predecessors":[]}'


def test_functions_of_a_running_task_fail_outside_one(query: Query) -> None:
    for call in ("SYSTEM$SET_RETURN_VALUE('x')", "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')"):
        name = call.split("(")[0]
        for statement in (f"CALL {call}", f"SELECT {call}"):
            with pytest.raises(TaskError, match="must be called from within a task") as refusal:
                query(statement)
            assert refusal.value.message == f"Function {name} must be called from within a task."


def test_tasks_outlive_the_warehouse_and_go_with_their_database(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "cellar.duckdb")
    query = rows_of(first.open_session())
    query(f"CREATE DATABASE {DATABASE}")
    query("CREATE TASK ROOT SCHEDULE = '60 MINUTES' CONFIG = '{\"a\": 1}' TIMEZONE = 'UTC' AS SELECT 1")
    query("CREATE TASK CHILD AFTER ROOT WHEN 1 = 1 AS SELECT 2")
    query("ALTER TASK CHILD RESUME")
    query("ALTER TASK ROOT RESUME")
    before = query("SHOW TASKS")
    first.close()
    second = Warehouse(tmp_path / "cellar.duckdb")
    try:
        query = rows_of(second.open_session(DATABASE, "PUBLIC"))
        assert query("SHOW TASKS") == before
        query(f"DROP DATABASE {DATABASE}")
        assert query("SHOW TASKS IN ACCOUNT") == []
    finally:
        second.close()


def test_refusals_reach_the_connector_as_snowflakes(connection: Any) -> None:
    """PITFALL 37: a statement error, not an HTTP 500 that clients retry."""
    cursor = connection.cursor()
    cursor.execute("CREATE TASK ROOT WAREHOUSE = COMPUTE_WH SCHEDULE = '60 MINUTES' AS SELECT 1")
    cursor.execute("ALTER TASK ROOT RESUME")
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as refusal:
        cursor.execute("CREATE TASK CHILD AFTER ROOT AS SELECT 1")
    assert refusal.value.errno == 91421
    assert "091421 (22000)" in str(refusal.value)
    assert NOT_SUSPENDED in str(refusal.value)


def test_an_error_of_a_task_statement_is_a_warehouse_error(query: Query) -> None:
    with pytest.raises(WarehouseError):
        query("ALTER TASK T DO SOMETHING")
