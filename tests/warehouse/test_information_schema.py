"""INFORMATION_SCHEMA and SHOW tell what was made, and when."""

from __future__ import annotations

import datetime as dt

import pytest

from snowcellar.errors import Unsupported, WarehouseError
from tests.warehouse.conftest import Query

PROCEDURE = (
    "CREATE PROCEDURE P(N INT) RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
    "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'f' AS 'def f(session, n): return n'"
)


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    """One session beside a table N."""
    shared_query("CREATE TABLE N (A INT)")
    return shared_query


def test_information_schema_lists_what_was_made(query: Query) -> None:
    started = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    for statement in (
        "CREATE SEQUENCE COUNTER START = 5 INCREMENT = 2",
        "CREATE STAGE BOX",
        "CREATE FILE FORMAT F TYPE = CSV",
        PROCEDURE,
        "CREATE FUNCTION TWICE(N INT) RETURNS INT AS 'N * 2'",
    ):
        query(statement)
    for view, prefix, own, expected in (
        ("SEQUENCES", "SEQUENCE", "START_VALUE || INCREMENT", ("COUNTER", "52")),
        ("STAGES", "STAGE", "STAGE_TYPE", ("BOX", "Internal Named")),
        ("FILE_FORMATS", "FILE_FORMAT", "FILE_FORMAT_TYPE", ("F", "CSV")),
        ("PROCEDURES", "PROCEDURE", "PROCEDURE_LANGUAGE || ARGUMENT_SIGNATURE", ("P", "PYTHON(N NUMBER)")),
        ("FUNCTIONS", "FUNCTION", "FUNCTION_LANGUAGE || DATA_TYPE", ("TWICE", "SQLNUMBER")),
        ("TABLES", "TABLE", "TABLE_TYPE", ("N", "BASE TABLE")),
    ):
        (row,) = query(
            f"SELECT {prefix}_NAME, {own} AS OWN, CREATED FROM INFORMATION_SCHEMA.{view} AS V "
            f"WHERE V.{prefix}_SCHEMA = 'PUBLIC' AND {prefix}_NAME = '{expected[0]}'"
        )
        assert (row[f"{prefix}_NAME"], row["OWN"]) == expected
        assert row["CREATED"] > started, view


def test_show_tells_when_things_were_made(query: Query) -> None:
    query("CREATE OR REPLACE VIEW SEEN AS SELECT A FROM N")
    started = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    for what in ("TABLES", "VIEWS", "OBJECTS"):
        rows = query(f"SHOW {what}")
        assert rows
        assert all(row["created_on"] > started for row in rows), what


def test_a_role_sees_what_it_has_a_privilege_on(query: Query) -> None:
    for statement in (
        "CREATE OR REPLACE SEQUENCE OPEN_ONE",
        "CREATE OR REPLACE SEQUENCE CLOSED_ONE",
        "CREATE ROLE READER",
        "GRANT USAGE ON DATABASE CELLAR_DB TO ROLE READER",
        "GRANT USAGE ON SCHEMA PUBLIC TO ROLE READER",
        "GRANT USAGE ON SEQUENCE OPEN_ONE TO ROLE READER",
        "GRANT ROLE READER TO USER LOCAL",
        "USE ROLE READER",
    ):
        query(statement)
    try:
        query("CREATE TEMPORARY TABLE MINE AS SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES")
        assert query("SELECT * FROM MINE") == []
        for view in ("TABLES", "SEQUENCES"):
            with pytest.raises(Unsupported, match=f"a view on INFORMATION_SCHEMA.{view}"):
                query(f"CREATE TEMPORARY VIEW LOOKS AS SELECT * FROM INFORMATION_SCHEMA.{view}")
        seen = query("SELECT SEQUENCE_NAME AS S, SEQUENCE_OWNER AS O FROM INFORMATION_SCHEMA.SEQUENCES")
        assert seen == [{"S": "OPEN_ONE", "O": "ACCOUNTADMIN"}]
        with pytest.raises(WarehouseError, match="does not exist or not authorized"):
            query("SELECT * FROM INFORMATION_SCHEMA.NOTHING")
    finally:
        query("USE ROLE ACCOUNTADMIN")
