"""Grants on what runs: procedures with owner's and caller's rights, tasks and alerts as their owners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.warehouse.conftest import Server, eventually
from tests.warehouse.grants import DENIED, Account, opened

NO_EXECUTE = 91089


@pytest.fixture(scope="module")
def account(shared_server: Server) -> Iterator[Account]:
    """READER may not read T, which OWNER's code reads; OWNER may not read OWN_OF_READER."""
    made = opened(shared_server)
    made.run("ACCOUNTADMIN", "GRANT USAGE ON WAREHOUSE WH TO ROLE READER")
    made.run(
        "OWNER",
        "GRANT CREATE TABLE, CREATE TASK, CREATE ALERT, CREATE PROCEDURE ON SCHEMA S TO ROLE READER",
        procedure("AS_OWNER()", "OWNER"),
        procedure("AS_CALLER()", "CALLER"),
        "CREATE TABLE LOG (WHO VARCHAR)",
    )
    yield made
    made.close()


def procedure(signature: str, rights: str, query: str = "SELECT CURRENT_ROLE() || COUNT(*) FROM T") -> str:
    return (
        f"CREATE OR REPLACE PROCEDURE {signature} RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
        f"PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' EXECUTE AS {rights} AS "
        f"$$def main(session):\n    return session.sql({query!r}).collect()[0][0]$$"
    )


def test_a_call_needs_usage_and_a_definition_ownership(account: Account) -> None:
    for statement in ("CALL AS_OWNER()", "DESCRIBE PROCEDURE AS_OWNER()", "DROP PROCEDURE AS_OWNER()"):
        number, text = account.refusal("READER", statement)
        assert "AS_OWNER" in text, (number, text)
    assert account.run("READER", "SHOW PROCEDURES LIKE 'AS_%'") == []
    account.run("OWNER", "GRANT USAGE ON PROCEDURE AS_OWNER() TO ROLE READER")
    account.run("READER", "CALL AS_OWNER()", "DESCRIBE PROCEDURE AS_OWNER()")
    assert len(account.run("READER", "SHOW PROCEDURES LIKE 'AS_%'")) == 1
    account.denies("READER", "DROP PROCEDURE AS_OWNER()", DENIED)
    account.denies("READER", "COMMENT ON PROCEDURE AS_OWNER() IS 'mine'", DENIED)
    account.denies("READER", procedure("AS_OWNER()", "OWNER"), DENIED)


def test_owners_rights_read_what_the_caller_may_not(account: Account) -> None:
    account.run("OWNER", "GRANT USAGE ON PROCEDURE AS_OWNER() TO ROLE READER")
    assert account.run("READER", "CALL AS_OWNER()") == [("OWNER1",)]
    assert account.run("READER", "SELECT CURRENT_ROLE()") == [("READER",)]
    account.denies("READER", "SELECT * FROM T")


def test_owners_rights_do_not_take_what_the_caller_may(account: Account) -> None:
    account.run("READER", "CREATE TABLE OWN_OF_READER (A INT)")
    account.run("OWNER", procedure("PEEK()", "OWNER", "SELECT COUNT(*)::VARCHAR FROM OWN_OF_READER"))
    account.run("OWNER", "GRANT USAGE ON PROCEDURE PEEK() TO ROLE READER")
    number, text = account.refusal("READER", "CALL PEEK()")
    assert "'OWN_OF_READER' does not exist or not authorized" in text, number


def test_callers_rights_are_the_callers(account: Account) -> None:
    account.run("OWNER", "GRANT USAGE ON PROCEDURE AS_CALLER() TO ROLE READER")
    assert account.run("OWNER", "CALL AS_CALLER()") == [("OWNER1",)]
    assert "'T' does not exist or not authorized" in account.refusal("READER", "CALL AS_CALLER()")[1]


def test_a_procedure_given_away_runs_as_its_new_owner(account: Account) -> None:
    account.run("OWNER", procedure("GIVEN()", "OWNER"), "GRANT USAGE ON PROCEDURE GIVEN() TO ROLE OWNER")
    account.run("OWNER", "GRANT OWNERSHIP ON PROCEDURE GIVEN() TO ROLE READER COPY CURRENT GRANTS")
    assert "'T' does not exist or not authorized" in account.refusal("OWNER", "CALL GIVEN()")[1]


def test_code_from_a_stage_needs_read_on_it(account: Account) -> None:
    account.run("OWNER", "CREATE STAGE CODE")
    text = account.denies(
        "READER", procedure("FROM_STAGE()", "OWNER").replace(" AS $$", " IMPORTS = ('@CODE/a.zip') AS $$")
    )
    assert "Stage 'SHOP.S.CODE'" in text


def run_of(account: Account, task: str) -> dict[str, Any]:
    """The newest run of a task that is over."""
    query = f"SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => '{task}'))"

    def over() -> dict[str, Any] | None:
        rows = [row for row in account.rows("ACCOUNTADMIN", query) if row["COMPLETED_TIME"] is not None]
        return rows[0] if rows else None

    found: dict[str, Any] = eventually(over, task)
    return found


def test_a_task_is_run_as_its_owner_who_needs_the_right_to(account: Account) -> None:
    account.run(
        "READER", "CREATE TASK TK WAREHOUSE = WH SCHEDULE = '60 MINUTE' AS INSERT INTO LOG VALUES ('t')"
    )
    for statement in ("EXECUTE TASK TK", "ALTER TASK TK RESUME"):
        text = account.denies("READER", statement, NO_EXECUTE)
        assert text == "Cannot execute task , EXECUTE TASK privilege must be granted to owner role"
    account.run("ACCOUNTADMIN", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE READER")
    account.run("READER", "EXECUTE TASK TK")
    run = run_of(account, "TK")
    assert (run["STATE"], run["ERROR_MESSAGE"]) == (
        "FAILED",
        "SQL compilation error:\nObject 'LOG' does not exist or not authorized.",
    )
    account.run("OWNER", "GRANT INSERT ON TABLE LOG TO ROLE READER")
    account.run("READER", "EXECUTE TASK TK")
    eventually(lambda: account.run("OWNER", "SELECT * FROM LOG WHERE WHO = 't'"), "the task has written")
    account.run("ACCOUNTADMIN", "REVOKE EXECUTE TASK ON ACCOUNT FROM ROLE READER")


def test_a_serverless_task_needs_the_right_to_managed_ones(account: Account) -> None:
    account.run("ACCOUNTADMIN", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE OWNER")
    account.run("OWNER", "CREATE TASK SERVERLESS SCHEDULE = '60 MINUTE' AS SELECT 1")
    assert "EXECUTE MANAGED TASK" in account.denies("OWNER", "EXECUTE TASK SERVERLESS", NO_EXECUTE)
    account.run("ACCOUNTADMIN", "GRANT EXECUTE MANAGED TASK ON ACCOUNT TO ROLE OWNER")
    account.run("OWNER", "EXECUTE TASK SERVERLESS")


def test_operate_starts_stops_and_shows_a_task_and_changes_nothing(account: Account) -> None:
    account.run("ACCOUNTADMIN", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE OWNER")
    account.run("OWNER", "CREATE TASK OPERATED WAREHOUSE = WH SCHEDULE = '60 MINUTE' AS SELECT 1")
    for statement in ("ALTER TASK OPERATED RESUME", "EXECUTE TASK OPERATED", "DESCRIBE TASK OPERATED"):
        account.denies("READER", statement)
    assert account.run("READER", "SHOW TASKS LIKE 'OPERATED'") == []
    history = "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE NAME = 'OPERATED'"
    account.run("OWNER", "GRANT MONITOR ON TASK OPERATED TO ROLE READER")
    account.denies("READER", "ALTER TASK OPERATED RESUME", DENIED)
    account.run("READER", "DESCRIBE TASK OPERATED")
    account.run("OWNER", "REVOKE MONITOR ON TASK OPERATED FROM ROLE READER", "EXECUTE TASK OPERATED")
    run_of(account, "OPERATED")
    assert account.run("READER", history) == []
    account.run("OWNER", "GRANT OPERATE ON TASK OPERATED TO ROLE READER")
    assert account.run("READER", history)
    account.run(
        "READER", "ALTER TASK OPERATED RESUME", "ALTER TASK OPERATED SUSPEND", "EXECUTE TASK OPERATED"
    )
    (shown,) = account.rows("READER", "SHOW TASKS LIKE 'OPERATED'")
    assert shown["owner"] == "OWNER"
    for statement in ("ALTER TASK OPERATED MODIFY AS SELECT 2", "DROP TASK OPERATED"):
        account.denies("READER", statement, DENIED)


def test_a_task_is_put_on_a_warehouse_and_behind_a_task_that_the_role_may_use(account: Account) -> None:
    account.run("ACCOUNTADMIN", "CREATE WAREHOUSE CLOSED_WH", "USE WAREHOUSE WH")
    account.denies("READER", "CREATE TASK PUT_ON WAREHOUSE = CLOSED_WH AS SELECT 1")
    condition = "SCHEDULE = '60 MINUTE' IF (EXISTS (SELECT 1)) THEN SELECT 1"
    account.denies("READER", f"CREATE ALERT PUT_ON WAREHOUSE = CLOSED_WH {condition}")
    account.run("OWNER", "CREATE TASK FIRST_ONE WAREHOUSE = WH AS SELECT 1")
    account.denies("READER", "CREATE TASK NEXT_ONE WAREHOUSE = WH AFTER FIRST_ONE AS SELECT 1")
    account.run("OWNER", "GRANT OPERATE ON TASK FIRST_ONE TO ROLE READER")
    account.run("READER", "CREATE TASK NEXT_ONE WAREHOUSE = WH AFTER FIRST_ONE AS SELECT 1")


def test_a_running_task_is_not_given_away(account: Account) -> None:
    account.run("ACCOUNTADMIN", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE OWNER")
    account.run("OWNER", "CREATE TASK STARTED WAREHOUSE = WH SCHEDULE = '60 MINUTE' AS SELECT 1")
    account.run("OWNER", "ALTER TASK STARTED RESUME")
    account.denies("OWNER", "GRANT OWNERSHIP ON TASK STARTED TO ROLE READER", 91421)
    account.run("OWNER", "ALTER TASK STARTED SUSPEND", "GRANT OWNERSHIP ON TASK STARTED TO ROLE READER")
    (shown,) = account.rows("READER", "SHOW TASKS LIKE 'STARTED'")
    assert shown["owner"] == "READER"


def test_a_condition_looks_at_a_stream_as_the_tasks_owner(account: Account) -> None:
    account.run("ACCOUNTADMIN", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE READER")
    account.run(
        "OWNER", "CREATE TABLE ST_T (A INT)", "CREATE STREAM ST ON TABLE ST_T", "INSERT INTO ST_T VALUES (1)"
    )
    account.run(
        "READER",
        "CREATE TASK WOKEN WAREHOUSE = WH SCHEDULE = '60 MINUTE' WHEN SYSTEM$STREAM_HAS_DATA('ST') "
        "AS SELECT 1",
    )
    account.run("READER", "EXECUTE TASK WOKEN")
    assert "'SHOP.S.ST' does not exist or not authorized" in run_of(account, "WOKEN")["ERROR_MESSAGE"]


def test_an_alert_is_run_as_its_owner_who_needs_the_right_to(account: Account) -> None:
    account.run(
        "READER",
        "CREATE ALERT AL WAREHOUSE = WH SCHEDULE = '60 MINUTE' IF (EXISTS (SELECT 1 FROM T)) "
        "THEN INSERT INTO LOG VALUES ('a')",
    )
    assert "EXECUTE ALERT privilege" in account.denies("READER", "EXECUTE ALERT AL", NO_EXECUTE)
    account.run("ACCOUNTADMIN", "GRANT EXECUTE ALERT ON ACCOUNT TO ROLE READER")
    account.run("READER", "EXECUTE ALERT AL")
    query = "SELECT * FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY())"

    def over() -> list[dict[str, Any]]:
        return [row for row in account.rows("READER", query) if row["COMPLETED_TIME"] is not None]

    (run,) = eventually(over, "the alert has run")
    assert run["STATE"] == "CONDITION_FAILED"
    assert "Object 'T' does not exist or not authorized" in run["SQL_ERROR_MESSAGE"]
    account.denies("OWNER", "ALTER ALERT AL RESUME")
    assert account.rows("OWNER", query) == []
    account.run("READER", "GRANT OPERATE ON ALERT AL TO ROLE OWNER")
    account.run("OWNER", "ALTER ALERT AL RESUME", "ALTER ALERT AL SUSPEND", "DESCRIBE ALERT AL")
    account.denies("OWNER", "DROP ALERT AL", DENIED)
