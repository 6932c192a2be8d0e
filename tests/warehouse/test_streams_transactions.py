"""Streams within and across transactions (SEMANTICS 1, 2, 8)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually, rows_of


@pytest.fixture
def events(query: Query) -> Query:
    """A table EVENTS, a stream PENDING on it, and a table DONE."""
    query("CREATE TABLE EVENTS (ID INT)")
    query("CREATE STREAM PENDING ON TABLE EVENTS")
    query("CREATE TABLE DONE (ID INT)")
    return query


def ids(query: Query, relation: str = "PENDING") -> list[int]:
    return sorted(row["ID"] for row in query(f"SELECT ID FROM {relation}"))


def in_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run something in a thread; what it answers, or raises, comes into the list."""
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(work())
        except WarehouseError as error:
            answers.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, answers


@pytest.mark.fact(2)
def test_all_statements_of_a_transaction_see_the_same_rows(events: Query, other: Query) -> None:
    """SEMANTICS 2: repeatable read; on commit the offset goes to where the transaction began to read."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    assert ids(events) == [1]
    other("INSERT INTO EVENTS VALUES (2)")
    assert ids(events) == [1]
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    assert ids(events) == [1], "consumed, but shown until the transaction ends (PITFALL 18)"
    events("INSERT INTO DONE SELECT ID + 10 FROM PENDING")
    events("COMMIT")
    assert ids(events, "DONE") == [1, 11]
    assert ids(events) == [2]


@pytest.mark.fact(2)
def test_own_uncommitted_rows_are_not_shown(events: Query) -> None:
    """SEMANTICS 2."""
    events("INSERT INTO EVENTS VALUES (1), (2)")
    events("BEGIN")
    events("INSERT INTO EVENTS VALUES (3)")
    events("DELETE FROM EVENTS WHERE ID = 1")
    events("UPDATE EVENTS SET ID = 20 WHERE ID = 2")
    assert ids(events) == [1, 2]
    events("COMMIT")
    assert ids(events) == [3, 20]


@pytest.mark.fact(1)
def test_a_rollback_leaves_the_offset(events: Query) -> None:
    """SEMANTICS 1."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    events("ROLLBACK")
    assert (ids(events), ids(events, "DONE")) == ([1], [])


@pytest.mark.fact(1)
def test_a_failed_statement_leaves_the_offset(events: Query) -> None:
    """SEMANTICS 1: the offset moves only when the DML commits."""
    events("INSERT INTO EVENTS VALUES (1), (0)")
    with pytest.raises(WarehouseError, match="Division by zero"):
        events("INSERT INTO DONE SELECT 1 / ID FROM PENDING")
    assert ids(events) == [0, 1]


def test_a_transaction_that_commits_late_is_not_passed_over(events: Query, other: Query) -> None:
    """What a high-water mark gets wrong: 1 starts before 2 and commits after 2 has been consumed."""
    other("BEGIN")
    other("INSERT INTO EVENTS VALUES (1)")
    events("INSERT INTO EVENTS VALUES (2)")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    assert ids(events, "DONE") == [2]
    other("COMMIT")
    assert ids(events) == [1]
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    assert ids(events, "DONE") == [1, 2]


def test_a_stream_created_while_a_transaction_is_open_shows_what_it_commits_later(
    events: Query, other: Query
) -> None:
    other("BEGIN")
    other("INSERT INTO EVENTS VALUES (1)")
    events("CREATE STREAM LATE ON TABLE EVENTS")
    other("COMMIT")
    assert ids(events, "LATE") == [1]


@pytest.mark.parametrize("write", ["INSERT INTO PLAIN VALUES (2)", "UPDATE PLAIN SET ID = 2"])
def test_a_first_stream_never_misses_a_transaction_that_was_open(
    query: Query, other: Query, write: str
) -> None:
    """Rows from before the table was tracked fail to commit, or are shown; they are never lost in silence."""
    query("CREATE TABLE PLAIN (ID INT)")
    query("INSERT INTO PLAIN VALUES (1)")
    other("BEGIN")
    other(write)
    thread, created = in_background(lambda: query("CREATE STREAM FIRST ON TABLE PLAIN"))
    if write.startswith("UPDATE"):
        thread.join(0.3)
        assert thread.is_alive(), "the UPDATE holds the table's lock"
        other("COMMIT")
        thread.join()
        assert (created[0][0]["status"], ids(query, "PLAIN")) == ("Stream FIRST successfully created.", [2])
        return
    thread.join()
    with pytest.raises(WarehouseError):
        other("COMMIT")
    assert ids(query, "PLAIN") == [1]


@pytest.mark.fact(2, 8)
def test_two_consumers_wait_for_each_other_and_take_every_row_once(events: Query, other: Query) -> None:
    """SEMANTICS 2: the stream is locked by the transaction; the second one waits and finds nothing."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    thread, answers = in_background(lambda: other("INSERT INTO DONE SELECT ID FROM PENDING"))
    thread.join(0.3)
    assert thread.is_alive()
    events("COMMIT")
    thread.join()
    assert answers == [[{"number of rows inserted": 0}]]
    assert ids(events, "DONE") == [1]


@pytest.mark.fact(2)
def test_two_transactions_that_read_then_consume_take_every_row_once(events: Query, other: Query) -> None:
    """As two runs of one procedure do: count, then insert. The second sees what the first has left."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    assert ids(events) == [1]

    def second() -> list[int]:
        other("BEGIN")
        seen = ids(other)
        other("INSERT INTO DONE SELECT ID FROM PENDING")
        other("COMMIT")
        return seen

    thread, answers = in_background(second)
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    events("COMMIT")
    thread.join()
    assert (answers, ids(events, "DONE")) == ([[]], [1])


@pytest.mark.fact(6)
def test_initial_rows_are_taken_once_by_two_consumers(events: Query, other: Query) -> None:
    """SEMANTICS 6, with the second consumer waiting for the first."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("CREATE STREAM WHOLE ON TABLE EVENTS SHOW_INITIAL_ROWS = TRUE")
    events("BEGIN")
    events("INSERT INTO DONE SELECT ID FROM WHOLE")
    thread, _ = in_background(lambda: other("INSERT INTO DONE SELECT ID FROM WHOLE"))
    events("COMMIT")
    thread.join()
    assert ids(events, "DONE") == [1]


def test_a_replaced_stream_is_not_brought_back_by_a_consumer_that_was_under_way(
    events: Query, other: Query
) -> None:
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    thread, _ = in_background(lambda: other("CREATE OR REPLACE STREAM PENDING ON TABLE EVENTS"))
    thread.join(0.2)
    assert thread.is_alive(), "it waits for the stream's lock"
    events("COMMIT")
    thread.join()
    other("INSERT INTO EVENTS VALUES (2)")
    assert ids(events) == [2]


@pytest.mark.fact(1, 2)
def test_many_writers_and_consumers_lose_and_double_nothing(cellar: Warehouse, events: Query) -> None:
    """SEMANTICS 1, 2 under load: 4 writers, one of which updates and deletes too, and 2 consumers."""
    events("CREATE STREAM ADDED ON TABLE EVENTS APPEND_ONLY = TRUE")
    events("CREATE TABLE ADDED_DONE (ID INT)")
    writing = threading.Event()
    writing.set()
    failures: list[Exception] = []

    def guarded(work: Callable[[Query], None]) -> Callable[[], None]:
        def run() -> None:
            session = cellar.open_session("CELLAR_DB", "PUBLIC")
            try:
                work(rows_of(session))
            except Exception as error:
                failures.append(error)
            finally:
                cellar.close_session(session)

        return run

    def writer(first: int) -> Callable[[Query], None]:
        def write(run: Query) -> None:
            for number in range(first, first + 20):
                run("BEGIN")
                run(f"INSERT INTO EVENTS VALUES ({number})")
                run(f"INSERT INTO EVENTS VALUES ({number + 1000})")
                run("ROLLBACK" if number % 5 == 0 else "COMMIT")

        return write

    def consumer(stream: str, target: str) -> Callable[[Query], None]:
        def consume(run: Query) -> None:
            while writing.is_set():
                run(f"INSERT INTO {target} SELECT ID FROM {stream}")
            run(f"INSERT INTO {target} SELECT ID FROM {stream}")

        return consume

    writers = [threading.Thread(target=guarded(writer(first))) for first in (100, 200, 300)]
    consumers = [
        threading.Thread(target=guarded(consumer(*pair)))
        for pair in (("PENDING", "DONE"), ("ADDED", "ADDED_DONE"), ("ADDED", "ADDED_DONE"))
    ]
    for thread in [*writers, *consumers]:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in consumers:
        thread.join()
    assert failures == []
    assert ids(events, "DONE") == ids(events, "ADDED_DONE") == ids(events, "EVENTS")
    assert len(ids(events, "DONE")) == 3 * 16 * 2


def test_a_stream_and_its_rows_survive_a_restart(cellar: Warehouse, events: Query) -> None:
    events("INSERT INTO EVENTS VALUES (1)")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    events("INSERT INTO EVENTS VALUES (2)")
    events("UPDATE EVENTS SET ID = 10 WHERE ID = 1")
    before = sorted(str(row) for row in events("SELECT * FROM PENDING"))
    cellar.close()
    again = Warehouse(cellar.file)
    try:
        run = rows_of(again.open_session("CELLAR_DB", "PUBLIC"))
        assert sorted(str(row) for row in run("SELECT * FROM PENDING")) == before
        run("INSERT INTO DONE SELECT ID FROM PENDING WHERE METADATA$ACTION = 'INSERT'")
        assert (ids(run), ids(run, "DONE")) == ([], [1, 2, 10])
    finally:
        again.close()


def test_a_lock_wait_ends_with_its_session(cellar: Warehouse, events: Query, session: Session) -> None:
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    events("UPDATE EVENTS SET ID = 2")
    waiting = cellar.open_session("CELLAR_DB", "PUBLIC")
    thread, answers = in_background(lambda: rows_of(waiting)("UPDATE EVENTS SET ID = 3"))
    eventually(lambda: cellar.history.records()[-1].text.endswith("= 3"))
    cellar.close_session(waiting)
    thread.join(5)
    assert answers[0].errno == 604


@pytest.mark.parametrize("described", ["SELECT ID FROM PENDING", "SELECT ID FROM DONE"])
def test_who_waited_for_a_stream_sees_what_its_holder_left(
    cellar: Warehouse, events: Query, session: Session, described: str
) -> None:
    """Also after a look at columns, by which DuckDB would fix what the transaction sees."""
    events("INSERT INTO EVENTS VALUES (1)")
    events("BEGIN")
    events("INSERT INTO DONE SELECT ID FROM PENDING")
    waiting = cellar.open_session("CELLAR_DB", "PUBLIC")
    run = rows_of(waiting)
    run("BEGIN")
    waiting.describe(described)
    thread, answers = in_background(lambda: run("SELECT COUNT(*) AS N FROM PENDING"))
    eventually(lambda: cellar.history.records()[-1].text.endswith("AS N FROM PENDING"))
    events("COMMIT")
    thread.join(5)
    assert (answers, ids(run, "DONE")) == ([[{"N": 0}]], [1])
    cellar.close_session(waiting)
