"""The clauses of SHOW, and SHOW and ALTER for virtual warehouses and session parameters."""

from __future__ import annotations

import pytest

from snowcellar import show
from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.mark.parametrize(
    ("like", "pattern"),
    [("A%", "A.*"), ("A_C", "A.C"), (r"A\_C", "A_C"), ("it''s", "it's"), ("a.b", r"a\.b")],
)
def test_like_is_a_pattern_of_its_own(like: str, pattern: str) -> None:
    assert show.like_pattern(like) == pattern


@pytest.mark.fact(10)
def test_streams_are_shown_by_name_place_start_and_number(query: Query) -> None:
    query("CREATE TABLE T (A INT)")
    query("CREATE SCHEMA RACK")
    for name in ("PUBLIC.S_ONE", "PUBLIC.S_TWO", "RACK.OTHER"):
        query(f"CREATE STREAM CELLAR_DB.{name} ON TABLE CELLAR_DB.PUBLIC.T")

    def names(clauses: str) -> list[str]:
        return [row["name"] for row in query(f"SHOW STREAMS {clauses}")]

    assert names("") == ["OTHER"]
    assert names("IN ACCOUNT") == names("IN DATABASE") == ["S_ONE", "S_TWO", "OTHER"]
    assert names("IN SCHEMA PUBLIC") == names("IN CELLAR_DB.PUBLIC") == ["S_ONE", "S_TWO"]
    assert names("LIKE 's_t%' IN ACCOUNT") == ["S_TWO"]
    assert names("IN ACCOUNT STARTS WITH 'S'") == ["S_ONE", "S_TWO"]
    assert names("IN SCHEMA PUBLIC LIMIT 1") == ["S_ONE"]
    with pytest.raises(WarehouseError, match="unexpected"):
        names("SIDEWAYS")


def test_schemas_and_databases_are_shown_by_name_place_start_and_number(query: Query) -> None:
    query("CREATE SCHEMA RACK")
    query("CREATE DATABASE OTHER_DB")

    def names(statement: str) -> list[str]:
        return [f"{row.get('database_name') or ''}.{row['name']}" for row in query(statement)]

    assert names("SHOW SCHEMAS") == ["OTHER_DB.INFORMATION_SCHEMA", "OTHER_DB.PUBLIC"]
    assert names("SHOW SCHEMAS LIKE 'r%' IN ACCOUNT") == ["CELLAR_DB.RACK"]
    assert names("SHOW SCHEMAS LIKE 'r%'") == []
    assert names("SHOW SCHEMAS IN DATABASE CELLAR_DB STARTS WITH 'R'") == ["CELLAR_DB.RACK"]
    assert names("SHOW SCHEMAS IN CELLAR_DB LIMIT 1") == ["CELLAR_DB.INFORMATION_SCHEMA"]
    assert names("SHOW /* as a driver asks */ SCHEMAS IN DATABASE CELLAR_DB")[-1] == "CELLAR_DB.RACK"
    assert names("SHOW DATABASES LIKE 'other%'") == [".OTHER_DB"]
    assert names("SHOW TERSE DATABASES STARTS WITH 'C'") == [".CELLAR_DB"]
    for statement, says in {
        "SHOW SCHEMAS IN DATABASE NOWHERE": "Database 'NOWHERE' does not exist or not authorized",
        "SHOW SCHEMAS SIDEWAYS": "unexpected",
        "SHOW DATABASES HISTORY": r"Unsupported feature 'SHOW \.\.\. HISTORY'",
    }.items():
        with pytest.raises(WarehouseError, match=says):
            query(statement)


def test_a_warehouse_is_resumed_and_suspended_once(query: Query) -> None:
    query("ALTER WAREHOUSE COMPUTE_WH SUSPEND")
    assert [row["state"] for row in query("SHOW WAREHOUSES LIKE 'compute%'")] == ["SUSPENDED"]
    query("ALTER WAREHOUSE COMPUTE_WH RESUME")
    with pytest.raises(WarehouseError, match="cannot be resumed") as error:
        query("ALTER WAREHOUSE COMPUTE_WH RESUME")
    assert error.value.errno == 90063
    query("ALTER WAREHOUSE COMPUTE_WH RESUME IF SUSPENDED")
    query("ALTER WAREHOUSE COMPUTE_WH SET AUTO_SUSPEND = 60 COMMENT = 'it'")
    assert [row["auto_suspend"] for row in query("SHOW WAREHOUSES")] == [60]


def test_session_parameters_are_set_shown_and_unset(query: Query) -> None:
    query("ALTER SESSION SET QUERY_TAG = 'it''s', TIMEZONE = 'Europe/Paris'")
    shown = {row["key"]: row["value"] for row in query("SHOW PARAMETERS IN SESSION")}
    assert (shown["QUERY_TAG"], shown["TIMEZONE"]) == ("it's", "Europe/Paris")
    query("ALTER SESSION UNSET TIMEZONE")
    assert [row["value"] for row in query("SHOW PARAMETERS LIKE 'timezone'")] == ["America/Los_Angeles"]
    with pytest.raises(WarehouseError, match="invalid value"):
        query("ALTER SESSION SET TIMEZONE = 'Cellar/Nowhere'")


def test_transient_tables_are_told_from_others(query: Query) -> None:
    query("CREATE TRANSIENT TABLE FIRST (A INT)")
    query("CREATE OR REPLACE TRANSIENT TABLE SECOND AS SELECT 1 AS A")
    query("CREATE TABLE THIRD LIKE FIRST")
    query("CREATE TRANSIENT TABLE IF NOT EXISTS THIRD (A INT)")

    def kinds() -> dict[str, str]:
        return {row["name"]: row["kind"] for row in query("SHOW TABLES")}

    assert kinds() == {"FIRST": "TRANSIENT", "SECOND": "TRANSIENT", "THIRD": "TABLE"}
    query("ALTER TABLE FIRST RENAME TO FOURTH")
    query("CREATE OR REPLACE TABLE SECOND (A INT)")
    assert kinds() == {"SECOND": "TABLE", "THIRD": "TABLE", "FOURTH": "TRANSIENT"}
    query("DROP TABLE FOURTH")
    query("CREATE TABLE FOURTH (A INT)")
    assert kinds()["FOURTH"] == "TABLE"
