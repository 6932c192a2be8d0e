"""Asynchronous queries of the connector and of Snowpark: in the background, beside each other, cancelled."""

from __future__ import annotations

import time
from typing import Any

import pytest
from snowflake.connector import DatabaseError, ProgrammingError
from snowflake.connector.constants import QueryStatus
from snowflake.snowpark import Session

from tests.warehouse.conftest import Sql, eventually


def test_asynchronous_queries_run_beside_their_session(connection: Any, sql: Sql) -> None:
    sql("CREATE TABLE T (A INT)")
    waiting, writing = connection.cursor(), connection.cursor()
    waiting.execute_async("SELECT SYSTEM$WAIT(60)")
    assert connection.get_query_status(waiting.sfqid) == QueryStatus.RUNNING
    writing.execute_async("INSERT INTO T SELECT %s + 1", (41,))
    writing.get_results_from_sfqid(writing.sfqid)
    assert writing.fetchall() == [(1,)]
    assert sql("SELECT A FROM T") == [(42,)]
    assert connection.is_still_running(connection.get_query_status(waiting.sfqid))
    waiting.abort_query(waiting.sfqid)
    eventually(lambda: not connection.is_still_running(connection.get_query_status(waiting.sfqid)))
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        waiting.get_results_from_sfqid(waiting.sfqid)
        waiting.fetchall()


def test_a_failed_asynchronous_query_says_why(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute_async("SELECT 1 / 0")
    eventually(lambda: not connection.is_still_running(connection.get_query_status(cursor.sfqid)))
    assert connection.get_query_status(cursor.sfqid) == QueryStatus.FAILED_WITH_ERROR
    with pytest.raises(ProgrammingError, match="Division by zero") as error:
        connection.get_query_status_throw_if_error(cursor.sfqid)
    assert error.value.errno == 100051
    with pytest.raises(ProgrammingError, match="Division by zero"):
        connection.cursor().query_result(cursor.sfqid)


def test_whoever_asks_for_the_rows_waits_for_them(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute_async("SELECT SYSTEM$WAIT(300, 'MILLISECONDS')")
    assert cursor.query_result(cursor.sfqid).fetchall() == [("waited 300 milliseconds",)]


def test_an_asynchronous_statement_of_a_transaction_is_part_of_it(connection: Any, sql: Sql) -> None:
    sql("CREATE TABLE T (A INT)")
    sql("BEGIN")
    connection.cursor().execute_async("INSERT INTO T VALUES (1)")
    sql("ROLLBACK")
    assert sql("SELECT * FROM T") == []


def test_snowparks_jobs_run_in_the_background(connection: Any) -> None:
    session = Session.builder.configs({"connection": connection}).create()
    job = session.sql("SELECT SYSTEM$WAIT(60)").collect_nowait()
    assert not job.is_done()
    frame = session.sql("SELECT 1 AS A UNION ALL SELECT 2").to_pandas(block=False)
    assert sorted(frame.result()["A"]) == [1, 2]
    job.cancel()
    eventually(job.is_done)
    assert job.is_failed()


def test_a_closing_server_does_not_wait_for_the_background(connection: Any, server: Any) -> None:
    connection.cursor().execute_async("SELECT SYSTEM$WAIT(60)")
    started = time.monotonic()
    server.warehouse.close()
    assert time.monotonic() - started < 20
