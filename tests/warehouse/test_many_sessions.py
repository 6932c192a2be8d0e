"""Many sessions at once: twenty that work, more that wait, and writers to one table."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest

from tests.warehouse.conftest import Server

SESSIONS = 20
MERGE = """
MERGE INTO SHARED USING (SELECT 0 AS ID) AS S ON SHARED.ID = S.ID
WHEN MATCHED THEN UPDATE SET N = SHARED.N + 1
"""
WAITERS = 45
"""More than the threads that a web server has: the holder of the lock must get one all the same."""


@pytest.fixture(scope="module")
def connect(shared_server: Server) -> Iterator[Callable[[], Any]]:
    """Opens a connection to the database of this module, which is closed at the end."""
    opened = []

    def one() -> Any:
        connection = shared_server.connect(database="MANY_DB", schema="PUBLIC")
        opened.append(connection)
        return connection

    first = shared_server.connect()
    first.cursor().execute("CREATE DATABASE MANY_DB")
    first.close()
    yield one
    for connection in opened:
        connection.close()


def run(connection: Any, *statements: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for statement in statements:
        rows = connection.cursor().execute(statement).fetchall()
    return rows


def at_once(jobs: list[Callable[[], None]]) -> None:
    """Run each in a thread; the first failure of any is the test's."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in as_completed([pool.submit(job) for job in jobs]):
            done.result()


def test_twenty_sessions_work_at_once(connect: Callable[[], Any]) -> None:
    """Each loads, merges and reads tables of its own and one of all."""
    run(connect(), "CREATE TABLE TOTALS (WHO INT, N INT)", "CREATE TABLE LOG (WHO INT, N INT)")

    def work(who: int) -> None:
        own = connect()
        run(own, f"CREATE TABLE OWN{who} (N INT)", f"CREATE STREAM NEW{who} ON TABLE OWN{who}")
        for number in range(3):
            run(own, f"INSERT INTO OWN{who} SELECT SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 10))")
            run(own, "BEGIN", f"INSERT INTO LOG SELECT {who}, N FROM NEW{who}")
            run(
                own,
                f"MERGE INTO TOTALS USING (SELECT {who} AS WHO, COUNT(*) AS N FROM OWN{who}) AS S"
                " ON TOTALS.WHO = S.WHO WHEN MATCHED THEN UPDATE SET N = S.N"
                " WHEN NOT MATCHED THEN INSERT (WHO, N) VALUES (S.WHO, S.N)",
                "COMMIT",
            )
            assert run(own, f"SELECT N FROM TOTALS WHERE WHO = {who}") == [(10 * (number + 1),)]

    at_once([lambda who=who: work(who) for who in range(SESSIONS)])  # type: ignore[misc]
    assert run(connect(), "SELECT COUNT(*), SUM(N) FROM TOTALS") == [(SESSIONS, 30 * SESSIONS)]
    assert run(connect(), "SELECT COUNT(*), COUNT(DISTINCT WHO) FROM LOG") == [(30 * SESSIONS, SESSIONS)]


def test_writers_to_one_table_wait_for_each_other(connect: Callable[[], Any]) -> None:
    """SEMANTICS 26: none fails with a conflict of the engine, and no write is lost."""
    run(connect(), "CREATE TABLE SHARED (ID INT, N INT)", "INSERT INTO SHARED SELECT 0, 0")
    inserted = [0]
    added = [0]
    counting = threading.Lock()

    def write(seed: int) -> None:
        own, random_ = connect(), random.Random(seed)
        for number in range(12):
            several = random_.random() < 0.4
            statements = [
                "UPDATE SHARED SET N = N + 1 WHERE ID = 0",
                f"INSERT INTO SHARED VALUES ({1000 * (seed + 1) + number}, 0)",
                MERGE,
                "DELETE FROM SHARED WHERE ID < 0",
            ]
            chosen = random_.sample(statements, k=2 if several else 1)
            # An INSERT waits for nobody, so that what comes after it would see the table as it was then.
            chosen.sort(key=lambda statement: statement.startswith("INSERT"))
            run(own, *(["BEGIN", *chosen, "COMMIT"] if several else chosen))
            with counting:
                inserted[0] += sum(statement.startswith("INSERT") for statement in chosen)
                added[0] += sum("N + 1" in statement for statement in chosen)

    at_once([lambda seed=seed: write(seed) for seed in range(8)])  # type: ignore[misc]
    assert run(connect(), "SELECT COUNT(*), SUM(N) FROM SHARED") == [(inserted[0] + 1, added[0])]


def test_a_lock_is_given_back_however_many_wait_for_it(connect: Callable[[], Any]) -> None:
    holder = connect()
    run(holder, "CREATE TABLE HELD (N INT)", "INSERT INTO HELD VALUES (0)", "BEGIN", "UPDATE HELD SET N = 1")
    waiters = [connect() for _ in range(WAITERS)]
    begun = threading.Barrier(WAITERS + 1)

    def wait(connection: Any) -> None:
        begun.wait()
        run(connection, "UPDATE HELD SET N = N + 1")

    with ThreadPoolExecutor(WAITERS) as pool:
        waiting = [pool.submit(wait, connection) for connection in waiters]
        begun.wait()
        with contextlib.suppress(TimeoutError):
            waiting[0].result(timeout=1.0)
        run(holder, "COMMIT")
        for done in waiting:
            done.result(timeout=60)
    assert run(holder, "SELECT N FROM HELD") == [(WAITERS + 1,)]
