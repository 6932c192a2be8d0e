"""Roles and grants: the statements that make them, who may run those, and what SHOW tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.warehouse.conftest import Server
from tests.warehouse.grants import DENIED, NOT_FOUND, Account, opened


@pytest.fixture(scope="module")
def account(shared_server: Server) -> Iterator[Account]:
    made = opened(shared_server)
    yield made
    made.close()


def test_a_role_is_used_by_who_was_granted_it_or_what_holds_it(account: Account) -> None:
    account.run("ACCOUNTADMIN", "CREATE ROLE CHILD", "CREATE ROLE PARENT", "GRANT ROLE CHILD TO ROLE PARENT")
    text = account.denies("ACCOUNTADMIN", "USE ROLE CHILD", 3013)
    assert "Requested role 'CHILD' is not assigned to the executing user." in text
    account.run("ACCOUNTADMIN", "GRANT ROLE PARENT TO USER LOCAL", "USE ROLE CHILD")
    assert account.run("ACCOUNTADMIN", "SELECT CURRENT_ROLE()") == [("CHILD",)]
    account.run("ACCOUNTADMIN", "USE ROLE ACCOUNTADMIN", "REVOKE ROLE PARENT FROM USER LOCAL")
    account.denies("ACCOUNTADMIN", "USE ROLE CHILD", 3013)


def test_a_role_that_does_not_exist_cannot_be_used_granted_or_granted_to(account: Account) -> None:
    account.denies("ACCOUNTADMIN", "USE ROLE NOBODY", 2043)
    assert "Role 'NOBODY' does not exist" in account.denies("ACCOUNTADMIN", "GRANT ROLE NOBODY TO USER LOCAL")
    account.denies("OWNER", "GRANT SELECT ON TABLE T TO ROLE NOBODY")
    account.denies("OWNER", "DROP ROLE NOBODY")
    assert "User 'NOBODY'" in account.denies("ACCOUNTADMIN", "GRANT ROLE OTHER TO USER NOBODY")
    account.run("OWNER", "DROP ROLE IF EXISTS NOBODY")


def test_only_who_has_create_role_makes_roles(account: Account) -> None:
    assert "operate on account" in account.denies("OWNER", "CREATE ROLE MINE", DENIED)
    account.run("ACCOUNTADMIN", "GRANT CREATE ROLE ON ACCOUNT TO ROLE OWNER")
    account.run("OWNER", "CREATE ROLE MINE", "GRANT ROLE MINE TO ROLE READER")
    account.denies("READER", "DROP ROLE MINE", DENIED)
    account.run("OWNER", "DROP ROLE MINE")
    account.run("ACCOUNTADMIN", "REVOKE CREATE ROLE ON ACCOUNT FROM ROLE OWNER")


def test_a_circle_of_roles_is_refused(account: Account) -> None:
    account.run("ACCOUNTADMIN", "CREATE ROLE UP", "CREATE ROLE DOWN", "GRANT ROLE DOWN TO ROLE UP")
    account.denies("ACCOUNTADMIN", "GRANT ROLE UP TO ROLE DOWN", 3006)


def test_what_a_dropped_role_owned_goes_to_who_dropped_it(account: Account) -> None:
    account.run("ACCOUNTADMIN", "CREATE ROLE GONE", "CREATE DATABASE HEIR_DB")
    account.run("ACCOUNTADMIN", "GRANT OWNERSHIP ON DATABASE HEIR_DB TO ROLE GONE")
    account.denies("ACCOUNTADMIN", "DROP DATABASE HEIR_DB", DENIED)
    account.run("ACCOUNTADMIN", "DROP ROLE GONE", "DROP DATABASE HEIR_DB")


@pytest.mark.parametrize(
    ("statement", "errno", "text"),
    [
        (
            "GRANT SELECT ON WAREHOUSE WH TO ROLE READER",
            3012,
            "Invalid object type 'WAREHOUSE' for privilege",
        ),
        ("GRANT FLY ON TABLE SHOP.S.T TO ROLE READER", 3012, "for privilege 'FLY'"),
        ("GRANT SELECT ON TABLE SHOP.S.NONE TO ROLE READER", NOT_FOUND, "Table 'SHOP.S.NONE' does not exist"),
        ("GRANT USAGE ON SCHEMA SHOP.NONE TO ROLE READER", NOT_FOUND, "Schema 'SHOP.NONE' does not exist"),
        ("GRANT USAGE ON PROCEDURE SHOP.S.P() TO ROLE READER", NOT_FOUND, "Procedure 'SHOP.S.P()'"),
        ("GRANT SELECT ON TABLE SHOP.S.T TO SHARE X", 2, "GRANT in this form"),
        ("REVOKE OWNERSHIP ON TABLE SHOP.S.T FROM ROLE OWNER", 3015, "OWNERSHIP cannot be revoked"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(account: Account, statement: str, errno: int, text: str) -> None:
    assert text in account.denies("ACCOUNTADMIN", statement, errno)


def test_the_owner_grants_and_nobody_else_without_the_option(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE G (A INT)")
    account.denies("READER", "GRANT SELECT ON TABLE G TO ROLE OTHER")
    account.run("OWNER", "GRANT SELECT ON TABLE G TO ROLE READER")
    account.denies("READER", "GRANT SELECT ON TABLE G TO ROLE OTHER", DENIED)
    account.run("OWNER", "GRANT SELECT ON TABLE G TO ROLE READER WITH GRANT OPTION")
    account.run("READER", "GRANT SELECT ON TABLE G TO ROLE OTHER")
    account.denies("READER", "GRANT INSERT ON TABLE G TO ROLE OTHER", DENIED)
    account.run("OWNER", "REVOKE GRANT OPTION FOR SELECT ON TABLE G FROM ROLE READER")
    account.denies("READER", "GRANT SELECT ON TABLE G TO ROLE OTHER", DENIED)
    account.run("READER", "SELECT * FROM G")


def test_who_manages_grants_grants_on_what_others_own(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE MG (A INT)")
    account.run("ACCOUNTADMIN", "GRANT SELECT ON TABLE SHOP.S.MG TO ROLE READER")
    account.run("READER", "SELECT * FROM MG")
    account.denies("ACCOUNTADMIN", "SELECT * FROM SHOP.S.MG", DENIED)


def test_account_privileges_are_granted_by_who_holds_them_with_the_option(account: Account) -> None:
    text = account.denies("OWNER", "GRANT EXECUTE TASK ON ACCOUNT TO ROLE READER", 3102)
    assert text == "Grant not executed: Insufficient privileges."


def test_ownership_goes_with_or_without_the_grants_of_others(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE O (A INT)", "GRANT SELECT ON TABLE O TO ROLE READER")
    text = account.denies("OWNER", "GRANT OWNERSHIP ON TABLE O TO ROLE OTHER", 3036)
    assert "Dependent grant of privilege 'SELECT' on securable 'SHOP.S.O' to role 'READER' exists." in text
    account.run("OWNER", "GRANT OWNERSHIP ON TABLE O TO ROLE OTHER COPY CURRENT GRANTS")
    account.run("READER", "SELECT * FROM O")
    account.denies("OWNER", "DROP TABLE O")
    account.run("ACCOUNTADMIN", "GRANT OWNERSHIP ON TABLE SHOP.S.O TO ROLE OWNER REVOKE CURRENT GRANTS")
    account.denies("READER", "SELECT * FROM O")
    account.run("OWNER", "DROP TABLE O")


def test_future_grants_hold_from_the_moment_of_the_create(account: Account) -> None:
    account.denies("OWNER", "GRANT SELECT ON FUTURE TABLES IN SCHEMA S TO ROLE READER", DENIED)
    account.run("ACCOUNTADMIN", "GRANT SELECT ON FUTURE TABLES IN SCHEMA SHOP.S TO ROLE READER")
    account.run("OWNER", "CREATE TABLE F1 AS SELECT 1 AS A")
    assert account.run("READER", "SELECT * FROM F1") == [(1,)]
    shown = account.rows("ACCOUNTADMIN", "SHOW FUTURE GRANTS IN SCHEMA SHOP.S")
    assert [(row["privilege"], row["name"], row["grantee_name"]) for row in shown] == [
        ("SELECT", "SHOP.S.<TABLE>", "READER")
    ]
    account.run("ACCOUNTADMIN", "REVOKE SELECT ON FUTURE TABLES IN SCHEMA SHOP.S FROM ROLE READER")
    account.run("OWNER", "CREATE TABLE F2 (A INT)")
    account.denies("READER", "SELECT * FROM F2")


def test_future_grants_of_a_schema_are_taken_before_those_of_its_database(account: Account) -> None:
    account.run(
        "OWNER", "CREATE SCHEMA SHOP.FS", "GRANT USAGE ON SCHEMA SHOP.FS TO ROLE READER", "USE SCHEMA S"
    )
    account.run("ACCOUNTADMIN", "GRANT SELECT ON FUTURE VIEWS IN DATABASE SHOP TO ROLE READER")
    account.run("OWNER", "CREATE VIEW FS.V1 AS SELECT 1 AS A")
    account.run("READER", "SELECT * FROM FS.V1")
    account.run("ACCOUNTADMIN", "GRANT SELECT ON FUTURE VIEWS IN SCHEMA SHOP.FS TO ROLE OTHER")
    account.run("OWNER", "CREATE VIEW FS.V2 AS SELECT 1 AS A")
    account.denies("READER", "SELECT * FROM FS.V2")
    account.run("ACCOUNTADMIN", "REVOKE SELECT ON FUTURE VIEWS IN DATABASE SHOP FROM ROLE READER")


def test_future_ownership_gives_what_is_made_away(account: Account) -> None:
    account.run("OWNER", "CREATE SCHEMA SHOP.FO", "USE SCHEMA S")
    account.run("ACCOUNTADMIN", "GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA SHOP.FO TO ROLE OTHER")
    account.run("OWNER", "CREATE TABLE FO.T (A INT)")
    account.denies("OWNER", "SELECT * FROM FO.T")
    (row,) = account.rows("ACCOUNTADMIN", "SHOW GRANTS ON TABLE SHOP.FO.T")
    assert (row["privilege"], row["grantee_name"]) == ("OWNERSHIP", "OTHER")


def test_in_a_schema_with_managed_access_its_owner_alone_grants(account: Account) -> None:
    account.run("OWNER", "CREATE SCHEMA SHOP.M WITH MANAGED ACCESS", "USE SCHEMA S")
    account.run("OWNER", "GRANT USAGE, CREATE TABLE ON SCHEMA M TO ROLE READER")
    (shown,) = account.rows("OWNER", "SHOW SCHEMAS LIKE 'M' IN DATABASE SHOP")
    assert (shown["options"], shown["owner"]) == ("MANAGED ACCESS", "OWNER")
    account.run("READER", "CREATE TABLE M.T (A INT)")
    account.denies("READER", "GRANT SELECT ON TABLE M.T TO ROLE OTHER", DENIED)
    account.run("OWNER", "GRANT SELECT ON TABLE M.T TO ROLE OTHER")
    account.run("OWNER", "GRANT SELECT ON FUTURE TABLES IN SCHEMA M TO ROLE OTHER")
    account.denies("READER", "ALTER SCHEMA M DISABLE MANAGED ACCESS", DENIED)
    account.run("OWNER", "ALTER SCHEMA M DISABLE MANAGED ACCESS")
    account.run("READER", "GRANT SELECT ON TABLE M.T TO ROLE OTHER")
    account.run("OWNER", "ALTER SCHEMA M ENABLE MANAGED ACCESS")
    account.denies("READER", "GRANT SELECT ON TABLE M.T TO ROLE OTHER", DENIED)


def test_all_of_a_kind_in_a_place_are_granted_on_at_once(account: Account) -> None:
    account.run(
        "OWNER", "CREATE SCHEMA SHOP.ALL_OF", "CREATE TABLE ALL_OF.A (A INT)", "CREATE TABLE ALL_OF.B (A INT)"
    )
    account.run("OWNER", "USE SCHEMA S", "GRANT USAGE ON SCHEMA ALL_OF TO ROLE READER")
    (status,) = account.run("OWNER", "GRANT ALL ON ALL TABLES IN SCHEMA ALL_OF TO ROLE READER")
    assert status[0].endswith("2 objects affected.")
    account.run("READER", "SELECT * FROM ALL_OF.A", "INSERT INTO ALL_OF.B VALUES (1)")
    account.run("OWNER", "REVOKE ALL ON ALL TABLES IN SCHEMA ALL_OF FROM ROLE READER")
    account.denies("READER", "SELECT * FROM ALL_OF.A")


def test_replacing_loses_the_grants_unless_they_are_copied(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE R (A INT)", "GRANT SELECT ON TABLE R TO ROLE READER")
    account.run("OWNER", "CREATE OR REPLACE TABLE R COPY GRANTS AS SELECT 2 AS A")
    assert account.run("READER", "SELECT * FROM R") == [(2,)]
    account.run("OWNER", "CREATE OR REPLACE TABLE R (A INT)")
    account.denies("READER", "SELECT * FROM R")


def test_a_renamed_table_keeps_its_grants_and_a_dropped_one_leaves_none(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE OLD (A INT)", "GRANT SELECT ON TABLE OLD TO ROLE READER")
    account.run("OWNER", "ALTER TABLE OLD RENAME TO NEW")
    account.run("READER", "SELECT * FROM NEW")
    account.run("OWNER", "DROP TABLE NEW", "CREATE TABLE NEW (A INT)")
    account.denies("READER", "SELECT * FROM NEW")


def test_show_grants_tells_of_objects_roles_and_users(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE SG (A INT)", "GRANT SELECT, INSERT ON TABLE SG TO ROLE READER")
    shown = account.rows("OWNER", "SHOW GRANTS ON TABLE SG")
    assert [(row["privilege"], row["granted_on"], row["name"], row["grantee_name"]) for row in shown] == [
        ("INSERT", "TABLE", "SHOP.S.SG", "READER"),
        ("OWNERSHIP", "TABLE", "SHOP.S.SG", "OWNER"),
        ("SELECT", "TABLE", "SHOP.S.SG", "READER"),
    ]
    to_role = account.rows("READER", "SHOW GRANTS TO ROLE READER")
    assert ("SELECT", "SHOP.S.SG") in [(row["privilege"], row["name"]) for row in to_role]
    assert {"ACCOUNTADMIN", "OWNER"} <= {row["role"] for row in account.rows("OWNER", "SHOW GRANTS")}
    of_role = account.rows("OWNER", "SHOW GRANTS OF ROLE OWNER")
    assert [(row["granted_to"], row["grantee_name"]) for row in of_role] == [("USER", "LOCAL")]
    account.denies("OTHER", "SHOW GRANTS ON TABLE SHOP.S.SG")


def test_show_roles_tells_which_there_are_and_which_is_current(account: Account) -> None:
    rows = {row["name"]: row for row in account.rows("OWNER", "SHOW ROLES")}
    assert {"ACCOUNTADMIN", "PUBLIC", "OWNER"} <= set(rows)
    assert [name for name, row in rows.items() if row["is_current"] == "Y"] == ["OWNER"]
    assert rows["OWNER"]["owner"] == "ACCOUNTADMIN"


def test_secondary_roles_count_for_everything_but_create(account: Account) -> None:
    account.run("OWNER", "CREATE SCHEMA SHOP.SEC", "CREATE TABLE SEC.T AS SELECT 1 AS A")
    account.run("OWNER", "GRANT USAGE, CREATE TABLE ON SCHEMA SEC TO ROLE OTHER", "USE SCHEMA S")
    account.run(
        "OWNER", "GRANT USAGE ON DATABASE SHOP TO ROLE OTHER", "GRANT SELECT ON TABLE SEC.T TO ROLE OTHER"
    )
    account.denies("READER", "SELECT * FROM SEC.T")
    account.run("READER", "USE SECONDARY ROLES OTHER")
    try:
        assert account.run("READER", "SELECT * FROM SEC.T") == [(1,)]
        assert account.run("READER", "SELECT IS_ROLE_IN_SESSION('OTHER'), IS_ROLE_IN_SESSION('OWNER')") == [
            (True, False)
        ]
        account.denies("READER", "CREATE TABLE SEC.NEW (A INT)", DENIED)
        account.run("READER", "USE SECONDARY ROLES ALL", "SELECT * FROM T")
    finally:
        account.run("READER", "USE SECONDARY ROLES NONE")
    account.denies("READER", "SELECT * FROM SEC.T")


def test_a_users_roles_are_told(account: Account) -> None:
    ((available,),) = account.run("READER", "SELECT CURRENT_AVAILABLE_ROLES()")
    assert '"OWNER"' in available
    account.denies("READER", "USE SECONDARY ROLES NOBODY", 3013)


def test_a_grant_is_kept_when_the_transaction_it_comes_in_is_rolled_back(account: Account) -> None:
    """It is DDL: it commits what is open, and then stands for itself."""
    account.run("OWNER", "CREATE TABLE RB (A INT)", "BEGIN", "INSERT INTO RB VALUES (1)")
    account.run("OWNER", "GRANT SELECT ON TABLE RB TO ROLE READER", "ROLLBACK")
    assert account.run("READER", "SELECT * FROM RB") == [(1,)]


def test_a_create_that_fails_leaves_neither_owner_nor_grants(account: Account) -> None:
    account.refusal("OWNER", "CREATE TABLE BROKEN AS SELECT 1 / 0 AS A")
    account.refusal("OWNER", "CREATE TASK BROKEN WAREHOUSE = WH AS BEGIN; SELECT 1; END")
    account.denies("ACCOUNTADMIN", "SHOW GRANTS ON TABLE SHOP.S.BROKEN")
    account.denies("ACCOUNTADMIN", "SHOW GRANTS ON TASK SHOP.S.BROKEN")


def test_a_login_takes_the_role_that_it_asks_for_if_the_user_has_it(account: Account) -> None:
    from snowflake.connector.errors import DatabaseError

    account.run("ACCOUNTADMIN", "CREATE ROLE CLOSED", "CREATE USER GUEST PASSWORD = 'Guest-1900'")
    options = {"user": "GUEST", "password": "Guest-1900", "login_timeout": 5}
    for role, errno in (("CLOSED", 390186), ("NOBODY", 390189)):
        with pytest.raises(DatabaseError) as refused:
            account.server.connect(role=role, **options)
        assert refused.value.errno == errno
    account.run("ACCOUNTADMIN", "GRANT ROLE CLOSED TO USER GUEST")
    connection = account.server.connect(role="CLOSED", **options)
    assert connection.cursor().execute("SELECT CURRENT_ROLE(), CURRENT_USER()").fetchone() == (
        "CLOSED",
        "GUEST",
    )
    connection.close()
