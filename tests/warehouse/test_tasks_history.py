"""TABLE(INFORMATION_SCHEMA.TASK_HISTORY(...)): its rows, its arguments, its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from snowcellar.errors import CompilationError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually
from tests.warehouse.test_tasks_graph import wait_until_idle

GUIDE_QUERY = """
SELECT
    NAME AS TASK_NAME,
    STATE,
    SCHEDULED_TIME,
    COMPLETED_TIME,
    DATEDIFF('second', SCHEDULED_TIME, COMPLETED_TIME) AS DURATION_SECONDS,
    ERROR_CODE,
    ERROR_MESSAGE
FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(
    SCHEDULED_TIME_RANGE_START => DATEADD('hour', -1, CURRENT_TIMESTAMP())
))
WHERE NAME LIKE 'TASK_%'
ORDER BY SCHEDULED_TIME DESC
LIMIT 20
"""
LAST_HOUR = (
    "SCHEDULED_TIME_RANGE_START => DATEADD('hour', -1, CURRENT_TIMESTAMP()), "
    "SCHEDULED_TIME_RANGE_END => CURRENT_TIMESTAMP()"
)
COLUMNS = (
    *(
        "QUERY_ID",
        "NAME",
        "DATABASE_NAME",
        "SCHEMA_NAME",
        "QUERY_TEXT",
        "CONDITION_TEXT",
        "STATE",
        "ERROR_CODE",
    ),
    *("ERROR_MESSAGE", "SCHEDULED_TIME", "QUERY_START_TIME", "NEXT_SCHEDULED_TIME", "COMPLETED_TIME"),
    *(
        "ROOT_TASK_ID",
        "GRAPH_VERSION",
        "RUN_ID",
        "RETURN_VALUE",
        "SCHEDULED_FROM",
        "ATTEMPT_NUMBER",
        "CONFIG",
    ),
    *("QUERY_HASH", "QUERY_HASH_VERSION", "QUERY_PARAMETERIZED_HASH", "QUERY_PARAMETERIZED_HASH_VERSION"),
    *("GRAPH_RUN_GROUP_ID", "BACKFILL_INFO", "SPCS_JOB_ID"),
)


@pytest.fixture
def ran(cellar: Warehouse, query: Query) -> Query:
    """TASK_GOOD and TASK_BAD have run once each."""
    query("CREATE TASK TASK_GOOD AS SELECT 1")
    query("CREATE TASK TASK_BAD AS SELECT 1 / 0")
    for name in ("TASK_GOOD", "TASK_BAD"):
        query(f"EXECUTE TASK {name}")
        wait_until_idle(cellar)
    return query


def history(query: Query, arguments: str = "") -> list[dict[str, Any]]:
    return query(f"SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY({arguments})) ORDER BY SCHEDULED_TIME")


@pytest.mark.fact(22)
def test_a_run_has_the_columns_of_snowflake(ran: Query) -> None:
    """SEMANTICS 22."""
    good, bad = history(ran)
    assert tuple(good) == COLUMNS
    assert (good["DATABASE_NAME"], good["SCHEMA_NAME"], good["QUERY_TEXT"]) == (
        "CELLAR_DB",
        "PUBLIC",
        "SELECT 1",
    )
    assert good["RUN_ID"] == pytest.approx(good["SCHEDULED_TIME"].timestamp() * 1000, abs=1)
    assert (bad["STATE"], bad["ERROR_CODE"]) == ("FAILED", "100051")


def test_the_query_of_a_run_is_in_the_query_history(ran: Query) -> None:
    good = history(ran, "TASK_NAME => 'TASK_GOOD'")[0]
    queries = ran("SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())")
    assert [query["QUERY_TEXT"] for query in queries if query["QUERY_ID"] == good["QUERY_ID"]] == ["SELECT 1"]


@pytest.mark.fact(22)
@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("", ["TASK_GOOD", "TASK_BAD"]),
        ("TASK_NAME => 'task_good'", ["TASK_GOOD"]),
        ("TASK_NAME => 'CELLAR_DB.PUBLIC.TASK_BAD'", ["TASK_BAD"]),
        ("TASK_NAME => 'OTHER.PUBLIC.TASK_BAD'", []),
        ("ERROR_ONLY => TRUE", ["TASK_BAD"]),
        ("ERROR_ONLY => FALSE", ["TASK_GOOD", "TASK_BAD"]),
        ("RESULT_LIMIT => 1", ["TASK_BAD"]),
        ("SCHEDULED_TIME_RANGE_START => DATEADD('hour', 1, CURRENT_TIMESTAMP())", []),
        ("SCHEDULED_TIME_RANGE_END => DATEADD('hour', -1, CURRENT_TIMESTAMP())", []),
        (LAST_HOUR, ["TASK_GOOD", "TASK_BAD"]),
        ("SCHEDULED_TIME_RANGE_START => '2020-01-01'::TIMESTAMP_LTZ", ["TASK_GOOD", "TASK_BAD"]),
    ],
)
def test_the_arguments_choose_the_runs(ran: Query, arguments: str, names: list[str]) -> None:
    """SEMANTICS 22."""
    assert [run["NAME"] for run in history(ran, arguments)] == names


def test_the_runs_of_a_root_are_found_by_its_id(ran: Query) -> None:
    (task,) = ran("SHOW TASKS LIKE 'TASK_GOOD'")
    assert [run["NAME"] for run in history(ran, f"ROOT_TASK_ID => '{task['id']}'")] == ["TASK_GOOD"]


@pytest.mark.parametrize("arguments", ["NOBODY => 1", "RESULT_LIMIT => 10001", "RESULT_LIMIT => 'x'", "5"])
def test_an_argument_that_does_not_exist_is_refused(query: Query, arguments: str) -> None:
    with pytest.raises(CompilationError):
        history(query, arguments)


@pytest.mark.fact(22)
def test_the_next_run_of_a_started_task_is_scheduled(query: Query) -> None:
    """SEMANTICS 22."""
    query("CREATE TASK T SCHEDULE = '11520 MINUTES' AS SELECT 1")
    assert history(query) == []
    query("ALTER TASK T RESUME")
    (due,) = history(query)
    assert (due["NAME"], due["STATE"], due["SCHEDULED_FROM"]) == ("T", "SCHEDULED", "SCHEDULE")
    assert due["COMPLETED_TIME"] is None
    assert due["SCHEDULED_TIME"] > datetime.now(UTC)


@pytest.mark.fact(22)
def test_the_history_speaks_of_every_database(cellar: Warehouse, ran: Query) -> None:
    """SEMANTICS 22: the account's tasks, whatever database is current."""
    ran("CREATE DATABASE OTHER_DB")
    ran("CREATE TASK TASK_OTHER AS SELECT 1")
    ran("EXECUTE TASK TASK_OTHER")
    wait_until_idle(cellar)
    found = ran("SELECT DATABASE_NAME FROM TABLE(CELLAR_DB.INFORMATION_SCHEMA.TASK_HISTORY())")
    assert sorted(row["DATABASE_NAME"] for row in found) == ["CELLAR_DB", "CELLAR_DB", "OTHER_DB"]


@pytest.mark.fact(32)
def test_the_guides_query_runs_over_the_wire(connection: Any) -> None:
    """The monitoring query of guide-deploiement.fr.md, through the connector, in the session's time zone."""
    cursor = connection.cursor()
    cursor.execute("CREATE TASK TASK_ONE WAREHOUSE = COMPUTE_WH SCHEDULE = '10 SECONDS' AS SELECT 1")
    cursor.execute("ALTER TASK TASK_ONE RESUME")

    def succeeded() -> list[Any]:
        return [row for row in cursor.execute(GUIDE_QUERY).fetchall() if row[1] == "SUCCEEDED"]

    row = eventually(succeeded)[0]
    assert row[0] == "TASK_ONE"
    assert row[4] in (0, 1)
    assert str(row[2].tzinfo) == "America/Los_Angeles"
    assert abs(row[2] - datetime.now(UTC)) < timedelta(minutes=5)
    cursor.execute("ALTER SESSION SET TIMEZONE = 'Europe/Paris'")
    row = cursor.execute(GUIDE_QUERY).fetchone()
    assert str(row[2].tzinfo) == "Europe/Paris"
    cursor.execute("SHOW TASKS IN DATABASE CELLAR_DB")
    cursor.execute('SELECT "name", "state" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))')
    assert cursor.fetchall() == [("TASK_ONE", "started")]
    cursor.execute("ALTER TASK TASK_ONE SUSPEND")
