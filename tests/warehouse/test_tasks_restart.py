"""What tasks keep when the warehouse is killed, and how it stops when it is asked to."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from snowcellar.local_server import LocalServer
from snowcellar.tasks.history import INTERRUPTED
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import DATABASE, Query, eventually, rows_of
from tests.warehouse.test_tasks_graph import ENDLESS, log, runs

__all__ = ["log"]

Serve = Callable[[], LocalServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a warehouse in a process of its own, over the files of this test."""
    started: list[LocalServer] = []

    def start() -> LocalServer:
        started.append(LocalServer(tmp_path, "--minute", "0.6", "--database", DATABASE))
        return started[-1]

    yield start
    for server in started:
        server.end(signal.SIGKILL)


@contextmanager
def connected(server: LocalServer) -> Iterator[Query]:
    """A function that runs a statement on the served warehouse."""
    connection = server.connect(schema="PUBLIC")

    def query(sql: str) -> list[dict[str, Any]]:
        cursor = connection.cursor(snowflake.connector.DictCursor)
        cursor.execute(sql)
        return list(cursor.fetchall())

    yield query
    connection.close()


def test_started_tasks_go_on_after_kill_9_and_a_cut_off_run_has_failed(serve: Serve) -> None:
    server = serve()
    with connected(server) as query:
        query(f"CREATE DATABASE {DATABASE}")
        query("CREATE TABLE LOG (WHO VARCHAR)")
        query("CREATE TABLE NUMBERS (N INT)")
        query("INSERT INTO NUMBERS SELECT SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 1000))")
        query("CREATE TASK TICK SCHEDULE = '10 SECONDS' AS INSERT INTO LOG VALUES ('TICK')")
        query(f"CREATE TASK LONG AS {ENDLESS}")
        query("ALTER TASK TICK RESUME")
        query("EXECUTE TASK LONG")
        eventually(lambda: [run for run in runs(query) if run["STATE"] == "EXECUTING"])
        eventually(lambda: query("SELECT COUNT(*) AS N FROM LOG")[0]["N"] > 0)
        server.end(signal.SIGKILL)
    with connected(serve()) as query:
        (long,) = [run for run in runs(query) if run["NAME"] == "LONG"]
        assert (long["STATE"], long["ERROR_MESSAGE"]) == ("FAILED", INTERRUPTED)
        assert long["COMPLETED_TIME"] is not None
        ticks = query("SELECT COUNT(*) AS N FROM LOG")[0]["N"]
        eventually(lambda: query("SELECT COUNT(*) AS N FROM LOG")[0]["N"] > ticks)
        assert {row["name"]: row["state"] for row in query("SHOW TASKS")} == {
            "LONG": "suspended",
            "TICK": "started",
        }


def test_a_warehouse_that_stops_cancels_what_runs(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "cellar.duckdb")
    first.start()
    query = rows_of(first.open_session())
    query(f"CREATE DATABASE {DATABASE}")
    query("CREATE TABLE LOG (WHO VARCHAR)")
    query("CREATE TABLE NUMBERS AS SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 1000))")
    query(f"CREATE TASK LONG AS {ENDLESS}")
    query("EXECUTE TASK LONG")
    eventually(lambda: [run for run in runs(query) if run["STATE"] == "EXECUTING"])
    first.close()
    second = Warehouse(tmp_path / "cellar.duckdb")
    try:
        query = rows_of(second.open_session(DATABASE, "PUBLIC"))
        assert [(run["STATE"], run["ERROR_MESSAGE"]) for run in runs(query)] == [
            ("CANCELLED", "The warehouse was stopped while this task ran.")
        ]
        assert query("SELECT * FROM LOG") == []
    finally:
        second.close()
