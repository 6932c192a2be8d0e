"""CREATE, ALTER, DROP, SHOW and DESCRIBE ALERT: what Snowflake accepts and what it refuses, in its words."""

from __future__ import annotations

import re

import pytest

from snowcellar.alerts.alert import AlertError
from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported
from tests.warehouse.conftest import DATABASE, Query

CREATE = "CREATE ALERT A SCHEDULE = '5 MINUTE' IF (EXISTS (SELECT 1)) THEN SELECT 2"


def test_an_alert_is_created_suspended_and_shown_with_snowflakes_columns(query: Query) -> None:
    (answer,) = query(
        "CREATE ALERT A WAREHOUSE = COMPUTE_WH, SCHEDULE = '5 MINUTE' COMMENT = 'it''s low'"
        " IF( EXISTS( SELECT ')' AS X -- ) \n FROM (SELECT 1) )) THEN INSERT INTO LOG VALUES ('a;b');"
    )
    assert answer == {"status": "Alert A successfully created."}
    (shown,) = query("SHOW ALERTS")
    assert shown.pop("created_on") is not None
    assert shown == {
        "name": "A",
        "database_name": DATABASE,
        "schema_name": "PUBLIC",
        "owner": "ACCOUNTADMIN",
        "comment": "it's low",
        "warehouse": "COMPUTE_WH",
        "schedule": "5 MINUTE",
        "state": "suspended",
        "condition": "SELECT ')' AS X -- ) \n FROM (SELECT 1)",
        "action": "INSERT INTO LOG VALUES ('a;b')",
        "owner_role_type": "ROLE",
    }
    (described,) = query("DESCRIBE ALERT A")
    assert {key: described[key] for key in shown} == shown
    (terse,) = query("SHOW TERSE ALERTS LIKE 'a'")
    assert list(terse) == ["created_on", "name", "kind", "database_name", "schema_name", "schedule", "state"]


def test_an_alert_without_a_warehouse_is_serverless(query: Query) -> None:
    query(CREATE)
    assert query("SHOW ALERTS")[0]["warehouse"] is None


def test_resume_and_suspend_change_the_state_and_replacing_suspends(query: Query) -> None:
    query(CREATE)
    states = []
    for statement in ("ALTER ALERT A RESUME", "ALTER ALERT A SUSPEND", "ALTER ALERT A RESUME"):
        query(statement)
        states.append(query("SHOW ALERTS")[0]["state"])
    assert states == ["started", "suspended", "started"]
    query(CREATE.replace("CREATE", "CREATE OR REPLACE"))
    assert query("SHOW ALERTS")[0]["state"] == "suspended"


def test_set_unset_and_modify_change_what_they_name(query: Query) -> None:
    query(CREATE)
    query("ALTER ALERT A SET WAREHOUSE = COMPUTE_WH SCHEDULE = '2 minutes' COMMENT = 'c'")
    query("ALTER ALERT A MODIFY CONDITION EXISTS (SELECT 3 WHERE (1 = 1))")
    query("ALTER ALERT A MODIFY ACTION CALL P('x')")
    (shown,) = query("SHOW ALERTS")
    kept = ("warehouse", "schedule", "comment", "condition", "action")
    assert [shown[key] for key in kept] == [
        "COMPUTE_WH",
        "2 minutes",
        "c",
        "SELECT 3 WHERE (1 = 1)",
        "CALL P('x')",
    ]
    query("ALTER ALERT A UNSET WAREHOUSE, COMMENT")
    (shown,) = query("SHOW ALERTS")
    assert (shown["warehouse"], shown["comment"]) == (None, "")


def test_names_that_are_taken_or_missing_are_told_as_snowflake_tells_them(query: Query) -> None:
    query(CREATE)
    with pytest.raises(ObjectExists, match=r"Object 'A' already exists\."):
        query(CREATE)
    (answer,) = query(CREATE.replace("ALERT A", "ALERT IF NOT EXISTS A"))
    assert answer == {"status": "A already exists, statement succeeded."}
    query("DROP ALERT A")
    query("DROP ALERT IF EXISTS A")
    query("ALTER ALERT IF EXISTS A SUSPEND")
    missing = re.escape(f"Alert '{DATABASE}.PUBLIC.A' does not exist or not authorized.")
    for statement in ("DROP ALERT A", "ALTER ALERT A RESUME", "EXECUTE ALERT A", "DESC ALERT A"):
        with pytest.raises(ObjectNotFound, match=missing):
            query(statement)
    with pytest.raises(ObjectNotFound, match="Schema"):
        query(CREATE.replace("ALERT A", "ALERT NOWHERE.A"))


def test_dropping_a_schema_drops_its_alerts(query: Query) -> None:
    query("CREATE SCHEMA GONE")
    query(CREATE.replace("ALERT A", "ALERT GONE.A"))
    query("DROP SCHEMA GONE")
    assert query("SHOW ALERTS IN ACCOUNT") == []


@pytest.mark.parametrize("schedule", ["5", "0 MINUTE", "-1 MINUTE", "30 SECONDS", "1 HOUR", "11521 MINUTES"])
def test_a_schedule_is_a_number_of_minutes_up_to_eight_days(query: Query, schedule: str) -> None:
    with pytest.raises(AlertError, match=r"schedule"):
        query(CREATE.replace("5 MINUTE", schedule))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (CREATE.replace("SCHEDULE = '5 MINUTE'", ""), "an alert on new data"),
        (CREATE.replace("SCHEDULE", "TAG (T = 'x') SCHEDULE"), "TAG"),
        (CREATE.replace("SCHEDULE", "RUNBOOK = 'x' SCHEDULE"), "alert property RUNBOOK"),
        (CREATE.replace("CREATE", "CREATE OR ALTER"), "CREATE OR ALTER ALERT"),
        (
            CREATE.replace("SELECT 2", "BEGIN LET X := 1; END"),
            "Snowflake Scripting block as the body of an alert",
        ),
        ("CREATE ALERT B CLONE A", "CLONE"),
        ("ALTER ALERT A SET TAG T = 'x'", "ALTER ALERT ... SET TAG"),
        ("ALTER ALERT A RENAME TO B", "ALTER ALERT ... RENAME TO"),
    ],
)
def test_what_is_not_done_here_is_refused_by_name(query: Query, statement: str, named: str) -> None:
    if statement.startswith("ALTER"):
        query(CREATE)
    with pytest.raises(Unsupported, match=re.escape(named)):
        query(statement)


@pytest.mark.parametrize(
    "statement",
    [
        CREATE.replace("EXISTS", "NOT EXISTS"),
        CREATE.replace("(SELECT 1)", "(DELETE FROM T)"),
        CREATE.replace("(SELECT 1)", "()"),
        CREATE.replace(" THEN SELECT 2", ""),
        CREATE.replace("THEN SELECT 2", "THEN"),
        CREATE.replace("THEN SELECT 2", "THEN SELECT 2; SELECT 3"),
        CREATE.replace("SCHEDULE", "COLOUR = 'red' SCHEDULE"),
        CREATE.replace("SCHEDULE", "SCHEDULE = '1 MINUTE' SCHEDULE"),
        CREATE.replace("'5 MINUTE'", "5"),
        CREATE[: CREATE.index(" IF")],
        "ALTER ALERT A UNSET SCHEDULE",
        "ALTER ALERT A SET",
        "ALTER ALERT A RESUME NOW",
    ],
)
def test_what_is_no_alert_statement_does_not_compile(query: Query, statement: str) -> None:
    query(CREATE.replace("ALERT A", "ALERT KEPT") if statement.startswith("CREATE") else CREATE)
    with pytest.raises(CompilationError):
        query(statement)
