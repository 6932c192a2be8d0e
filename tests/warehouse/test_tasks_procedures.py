"""Tasks whose body is a CALL: return values, failures, cancellation and streams, on a served warehouse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.warehouse.conftest import Query, Server, eventually
from tests.warehouse.test_tasks_graph import runs, wait_until_idle

CLAUSES = (
    "RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
    "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
)
CONSUME = """
def main(session):
    session.sql("BEGIN").collect()
    rows = session.table("S").count()
    session.sql("INSERT INTO TAKEN SELECT N FROM S").collect()
    session.sql("COMMIT").collect()
    session.sql("CALL SYSTEM$SET_RETURN_VALUE(?)", params=[f'{{"rows": {rows}}}']).collect()
    return str(rows)
"""
BREAK_OFF = """
def main(session):
    session.sql("BEGIN").collect()
    session.sql("INSERT INTO TAKEN SELECT N FROM S").collect()
    raise ValueError("half way")
"""
SLEEP = """
import time

def main(session):
    session.sql("INSERT INTO TAKEN VALUES (0)").collect()
    time.sleep(600)
"""


@pytest.fixture
def sql(connection: Any) -> Query:
    """Run a statement over the wire; there is a stream S on RAW, and TAKEN for what was taken from it."""

    def run(text: str) -> list[dict[str, Any]]:
        cursor = connection.cursor()
        cursor.execute(text)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    run("CREATE TABLE RAW (N INT)")
    run("CREATE TABLE TAKEN (N INT)")
    run("CREATE STREAM S ON TABLE RAW APPEND_ONLY = TRUE")
    return run


def define(sql: Query, name: str, body: str, options: str = "") -> None:
    """A procedure and a task of the same name that calls it."""
    sql(f"CREATE PROCEDURE {name}() {CLAUSES} AS $${body}$$")
    sql(f"CREATE TASK {name} {options} WHEN SYSTEM$STREAM_HAS_DATA('S') AS CALL {name}()")


def execute(server: Server, sql: Query, name: str) -> dict[str, Any]:
    """Run a task once and get its row of the history."""
    sql(f"EXECUTE TASK {name}")
    wait_until_idle(server.warehouse)
    return runs(sql)[-1]


@pytest.mark.fact(1, 20)
def test_a_called_procedure_sets_the_return_value_and_consumes_the_stream(server: Server, sql: Query) -> None:
    """SEMANTICS 1, 20: and with nothing left in the stream, the next run is skipped."""
    define(sql, "CONSUME", CONSUME)
    sql("INSERT INTO RAW VALUES (1), (2)")
    run = execute(server, sql, "CONSUME")
    assert (run["STATE"], run["ERROR_MESSAGE"], run["RETURN_VALUE"]) == ("SUCCEEDED", None, '{"rows": 2}')
    assert sql("SELECT COUNT(*) AS N FROM TAKEN") == [{"N": 2}]
    assert execute(server, sql, "CONSUME")["STATE"] == "SKIPPED"


@pytest.mark.fact(1, 25)
def test_a_procedure_that_fails_half_way_leaves_the_stream_to_the_next_run(
    server: Server, sql: Query
) -> None:
    """SEMANTICS 1, 25."""
    define(sql, "BREAK_OFF", BREAK_OFF)
    define(sql, "CONSUME", CONSUME)
    sql("INSERT INTO RAW VALUES (1), (2)")
    run = execute(server, sql, "BREAK_OFF")
    assert run["STATE"] == "FAILED"
    assert "half way" in run["ERROR_MESSAGE"]
    assert sql("SELECT COUNT(*) AS N FROM TAKEN") == [{"N": 0}]
    assert execute(server, sql, "CONSUME")["STATE"] == "SUCCEEDED"
    assert sql("SELECT COUNT(*) AS N FROM TAKEN") == [{"N": 2}]


@pytest.mark.fact(16)
def test_a_procedure_that_hangs_is_stopped_when_its_task_is_cancelled(server: Server, sql: Query) -> None:
    """SEMANTICS 16: a time limit stops it the same way."""
    define(sql, "SLEEP", SLEEP)
    sql("INSERT INTO RAW VALUES (1)")
    sql("EXECUTE TASK SLEEP")
    eventually(lambda: sql("SELECT * FROM TAKEN"))
    sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('SLEEP')")
    wait_until_idle(server.warehouse)
    assert runs(sql)[-1]["STATE"] == "CANCELLED"
