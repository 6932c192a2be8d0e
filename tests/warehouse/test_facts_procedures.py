"""Procedures: what they see of their caller's session, and what they may not do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from snowflake.connector import ProgrammingError

from tests.warehouse.conftest import Sql

_NUMBERS = itertools.count()
_CLAUSES = (
    "LANGUAGE PYTHON RUNTIME_VERSION = '{version}' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
)


@pytest.fixture
def sql(shared_server: Any) -> Iterator[Sql]:
    """Run a statement in a database of this test's own, with a table T of (1) and (1)."""
    opened = shared_server.connect()
    opened.cursor().execute(f"CREATE DATABASE RIGHTS{next(_NUMBERS)}")
    opened.cursor().execute("CREATE TABLE T (A INT)")
    opened.cursor().execute("INSERT INTO T VALUES (1), (1)")
    yield lambda text: list(opened.cursor().execute(text).fetchall())
    opened.close()


def procedure(statement: str, clauses: str = "", version: str = "3.11") -> str:
    """A procedure P() that runs a statement and returns its first cell."""
    return (
        "CREATE OR REPLACE PROCEDURE P() RETURNS VARCHAR "
        f"{_CLAUSES.format(version=version)} {clauses} AS $$\n"
        f"def main(session): return str(session.sql({statement!r}).collect()[0][0])\n$$"
    )


CALLER = "EXECUTE AS CALLER"


@pytest.mark.fact(27)
def test_variables_of_the_session_are_the_callers(sql: Sql) -> None:
    sql("SET wine = 'Gamay'")
    sql(procedure("SELECT $wine", CALLER))
    assert sql("CALL P()") == [("Gamay",)]
    sql(procedure("SELECT $wine"))
    with pytest.raises(ProgrammingError, match=r"(?i)wine"):
        sql("CALL P()")


@pytest.mark.fact(27)
@pytest.mark.parametrize("rights", ["", CALLER])
def test_the_time_zone_and_the_errors_of_merge_come_from_the_caller(sql: Sql, rights: str) -> None:
    sql("ALTER SESSION SET TIMEZONE = 'Asia/Tokyo'")
    sql(procedure("SELECT TO_TIMESTAMP_LTZ('2024-01-01T00:00:00Z')::TIMESTAMP_NTZ::VARCHAR", rights))
    assert sql("CALL P()")[0][0].startswith("2024-01-01 09:00:00")
    merge = "MERGE INTO T USING (SELECT 1 AS A) S ON TRUE WHEN MATCHED THEN UPDATE SET A = 2"
    twice = merge.replace("(SELECT 1 AS A)", "(SELECT 1 AS A UNION ALL SELECT 3)")
    sql(procedure(twice, rights))
    with pytest.raises(ProgrammingError, match="Duplicate row detected"):
        sql("CALL P()")
    sql("ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_MERGE = FALSE")
    assert sql("CALL P()") == [("2",)]


@pytest.mark.fact(28)
@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("CREATE TEMPORARY TABLE MINE (A INT)", "TEMPORARY_TABLE"),
        ("CREATE OR REPLACE TEMP VIEW MINE AS SELECT 1 AS A", "TEMPORARY_VIEW"),
        ("PUT file:///tmp/none @~", "PUT_FILES"),
        ("GET @~ file:///tmp/", "GET_FILES"),
    ],
)
def test_what_a_procedure_may_not_run(sql: Sql, statement: str, kind: str) -> None:
    """Named temporary objects go with caller's rights; Snowpark's own are no named ones."""
    sql(procedure(statement))
    with pytest.raises(ProgrammingError, match=f"Unsupported statement type '{kind}'"):
        sql("CALL P()")
    if kind.startswith("TEMPORARY"):
        sql(procedure(statement, CALLER))
        assert "successfully created" in sql("CALL P()")[0][0]
        sql(procedure("CREATE SCOPED TEMPORARY TABLE SNOWPARK_TEMP_TABLE_X (A INT)"))
        sql("CALL P()")


@pytest.mark.fact(28)
@pytest.mark.parametrize("version", ["3.9", "3.14"])
@pytest.mark.xfail(reason="the workers run the server's own Python", raises=ProgrammingError, strict=True)
def test_every_version_of_python_that_snowflake_has_may_be_named(sql: Sql, version: str) -> None:
    sql(procedure("SELECT 1", version=version))
