"""Transactions (SEMANTICS 24 and 26): what DDL, failures, an extra BEGIN and another session's locks do."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually


def levels(query: Query) -> list[int]:
    return sorted(row["LEVEL"] for row in query("SELECT LEVEL FROM STOCK"))


class Background:
    """A statement that runs in a thread."""

    def __init__(self, run: Query, *statements: str) -> None:
        self.outcome: list[Any] = []
        self._run, self._statements = run, statements
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for statement in self._statements:
                self.outcome.append(self._run(statement))
        except WarehouseError as error:
            self.outcome.append(error)

    def waits(self) -> bool:
        self._thread.join(0.3)
        return self._thread.is_alive()

    def join(self) -> list[Any]:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.outcome


@pytest.mark.fact(26)
@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN TRANSACTION", "START TRANSACTION", "BEGIN NAME T1"])
def test_a_rollback_undoes_and_a_commit_keeps(stock: Query, other: Query, begin: str) -> None:
    stock(begin)
    stock("UPDATE STOCK SET LEVEL = 0")
    assert levels(other) == [10, 20], "READ COMMITTED (SEMANTICS 26)"
    stock("ROLLBACK")
    assert levels(stock) == [10, 20]
    stock(begin)
    stock("TRUNCATE TABLE STOCK")
    stock("COMMIT")
    assert levels(other) == []


@pytest.mark.fact(24)
@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE OTHER (A INT)",
        "CREATE TABLE OTHER AS SELECT 1 AS A",
        "ALTER TABLE STOCK ADD COLUMN B INT",
        "CREATE STREAM S ON TABLE STOCK",
        "CREATE SCHEMA ASIDE",
        "CREATE DATABASE ASIDE_DB",
        "CREATE WAREHOUSE ASIDE_WH",
        "DROP TABLE IF EXISTS NOWHERE",
        "CREATE STAGE FILES",
    ],
)
def test_ddl_commits_what_is_open(stock: Query, ddl: str) -> None:
    """SEMANTICS 24 (PITFALL 19)."""
    stock("BEGIN")
    stock("INSERT INTO STOCK (ID, LEVEL) VALUES (3, 30)")
    stock(ddl)
    stock("ROLLBACK")
    assert sorted(row["LEVEL"] for row in stock("SELECT LEVEL FROM CELLAR_DB.PUBLIC.STOCK")) == [10, 20, 30]


@pytest.mark.fact(24)
def test_truncate_is_dml_and_can_be_rolled_back(stock: Query) -> None:
    """SEMANTICS 24."""
    stock("BEGIN")
    stock("TRUNCATE TABLE STOCK")
    stock("ROLLBACK")
    assert levels(stock) == [10, 20]


@pytest.mark.fact(24)
def test_an_extra_begin_is_ignored(stock: Query) -> None:
    """SEMANTICS 24."""
    stock("BEGIN")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    stock("BEGIN")
    stock("ROLLBACK")
    assert levels(stock) == [10, 20]


def test_commit_and_rollback_outside_a_transaction_do_nothing(stock: Query) -> None:
    assert stock("COMMIT") == stock("ROLLBACK") == [{"status": "Statement executed successfully."}]


@pytest.mark.fact(24)
@pytest.mark.parametrize("failing", ["INSERT INTO STOCK VALUES (3, NULL)", "SELECT 1 / 0", "SELECT 'x'::INT"])
def test_a_failed_statement_is_never_silently_kept(stock: Query, failing: str) -> None:
    """SEMANTICS 24, with our deviation: Snowflake keeps the transaction open; here only ROLLBACK goes on."""
    stock("BEGIN")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    with pytest.raises(WarehouseError):
        stock(failing)
    for refused in ("INSERT INTO STOCK VALUES (4, 40)", "SELECT 1", "SHOW TABLES", "CREATE TABLE T (A INT)"):
        if refused.startswith("CREATE"):
            stock("ROLLBACK")
            stock("BEGIN")
            with pytest.raises(WarehouseError):
                stock(failing)
        with pytest.raises(WarehouseError) as error:
            stock(refused)
        assert error.value.errno == 90237
    assert levels(stock) == [10, 20]


@pytest.mark.fact(24)
def test_commit_after_a_failure_fails_and_ends_the_transaction(stock: Query) -> None:
    """SEMANTICS 24: never silently kept, and the session goes on."""
    stock("BEGIN")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    with pytest.raises(WarehouseError):
        stock("SELECT 1 / 0")
    with pytest.raises(WarehouseError, match="rolled back because an earlier statement"):
        stock("COMMIT")
    assert levels(stock) == [10, 20]
    stock("INSERT INTO STOCK VALUES (3, 30)")
    assert levels(stock) == [10, 20, 30]


@pytest.mark.fact(24)
def test_a_statement_that_does_not_compile_leaves_the_transaction_open(stock: Query) -> None:
    """SEMANTICS 24, as Snowflake."""
    stock("BEGIN")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    for broken in ("SELECT NOWHERE FROM STOCK", "SELECT * FROM NOWHERE", "SELEC 1", "SELECT UNDROP(1)"):
        with pytest.raises(WarehouseError):
            stock(broken)
    stock("COMMIT")
    assert levels(stock) == [10, 20, 30]


@pytest.mark.fact(26)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE STOCK SET LEVEL = LEVEL + 1 WHERE ID = 1",
        "MERGE INTO STOCK USING (SELECT 1 AS N) ON ID = N WHEN MATCHED THEN UPDATE SET LEVEL = LEVEL + 1",
    ],
)
def test_changes_of_one_table_wait_for_each_other(stock: Query, other: Query, statement: str) -> None:
    """SEMANTICS 26: no conflict, and no change is lost."""
    stock("BEGIN")
    stock(statement)
    second = Background(other, statement)
    assert second.waits()
    stock("COMMIT")
    assert second.join()[0][0]["number of rows updated"] == 1
    assert levels(stock) == [12, 20]


@pytest.mark.fact(26)
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE STOCK SET LEVEL = LEVEL + 1 WHERE ID = 1",
        """MERGE INTO STOCK USING (SELECT 1 AS N) AS X ON STOCK.ID = X.N
        WHEN MATCHED THEN UPDATE SET LEVEL = STOCK.LEVEL + 1""",
    ],
)
def test_a_transaction_that_has_read_waits_and_changes_the_latest_rows(
    stock: Query, other: Query, statement: str, tracked: bool
) -> None:
    """The counter of a read-modify-write loop: no increment is lost and none is refused."""
    if tracked:
        stock("CREATE STREAM S ON TABLE STOCK")
    stock("BEGIN")
    assert stock("SELECT LEVEL FROM STOCK WHERE ID = 1") == [{"LEVEL": 10}]
    other("BEGIN")
    other("SELECT * FROM STOCK")
    other(statement)
    second = Background(stock, statement)
    assert second.waits()
    other("COMMIT")
    ((counts,),) = second.join()
    assert counts["number of rows updated"] == 1
    stock("COMMIT")
    assert other("SELECT LEVEL FROM STOCK WHERE ID = 1") == [{"LEVEL": 12}]
    if tracked:
        changes = other("SELECT LEVEL, METADATA$ACTION AS ACTION FROM S ORDER BY LEVEL")
        assert changes == [{"LEVEL": 10, "ACTION": "DELETE"}, {"LEVEL": 12, "ACTION": "INSERT"}]


@pytest.mark.fact(26)
def test_an_insert_waits_for_nobody(stock: Query, other: Query) -> None:
    """SEMANTICS 26."""
    stock("BEGIN")
    stock("UPDATE STOCK SET LEVEL = 0")
    other("INSERT INTO STOCK VALUES (3, 30)")
    stock("COMMIT")
    assert levels(other) == [0, 0, 30]


def test_a_failed_statement_lets_go_of_its_locks(stock: Query, other: Query) -> None:
    with pytest.raises(WarehouseError):
        stock("UPDATE STOCK SET LEVEL = NULL")
    assert other("UPDATE STOCK SET LEVEL = 1")[0]["number of rows updated"] == 2


def test_a_closed_session_lets_go_of_its_locks(cellar: Warehouse, stock: Query) -> None:
    leaving = cellar.open_session("CELLAR_DB", "PUBLIC")
    leaving.execute("BEGIN")
    leaving.execute("UPDATE STOCK SET LEVEL = 0")
    second = Background(stock, "UPDATE STOCK SET LEVEL = 1")
    assert second.waits()
    cellar.close_session(leaving)
    second.join()
    assert levels(stock) == [1, 1]


@pytest.mark.fact(26)
def test_a_deadlock_is_told_at_once(stock: Query, other: Query) -> None:
    stock("CREATE TABLE BESIDE (A INT)")
    stock("BEGIN")
    stock("DELETE FROM STOCK")
    other("BEGIN")
    other("DELETE FROM BESIDE")
    second = Background(other, "DELETE FROM STOCK")
    assert second.waits()
    with pytest.raises(WarehouseError, match="deadlock") as error:
        stock("DELETE FROM BESIDE")
    assert error.value.errno == 625
    stock("ROLLBACK")
    assert second.join() == [[{"number of rows deleted": 2}]]


def test_a_transaction_writes_to_one_database(stock: Query) -> None:
    """A deviation, refused by name: DuckDB writes one file a transaction."""
    stock("CREATE DATABASE SECOND")
    stock("CREATE TABLE T (A INT)")
    stock("BEGIN")
    stock("INSERT INTO T VALUES (1)")
    with pytest.raises(WarehouseError, match="a transaction that writes to two databases"):
        stock("INSERT INTO CELLAR_DB.PUBLIC.STOCK VALUES (3, 30)")
    stock("ROLLBACK")
    assert stock("SELECT * FROM T") == []


def test_without_autocommit_dml_opens_a_transaction(stock: Query, other: Query) -> None:
    stock("ALTER SESSION SET AUTOCOMMIT = FALSE")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    assert levels(other) == [10, 20]
    stock("COMMIT")
    assert levels(other) == [10, 20, 30]


def test_an_aborted_statement_says_so(stock: Query, session: Session) -> None:
    """The abort request of the protocol; SYSTEM$WAIT stands for anything that takes long."""
    running = Background(stock, "SELECT SYSTEM$WAIT(20)")
    eventually(lambda: session.on_interrupt)
    session.interrupt()
    assert running.join()[0].errno == 604


def test_a_transaction_that_duckdb_has_given_up_is_never_committed_in_silence(
    session: Session, stock: Query
) -> None:
    stock("BEGIN")
    stock("UPDATE STOCK SET LEVEL = 30")
    duck = session.connection.duck
    duck.execute("CREATE TEMPORARY TABLE ONCE (A INT PRIMARY KEY)")
    with pytest.raises(duckdb.ConstraintException):
        duck.execute("INSERT INTO ONCE VALUES (1), (1)")
    with pytest.raises(WarehouseError):
        stock("COMMIT")
    assert levels(stock) == [10, 20]


def test_the_current_transaction_has_a_number_until_it_ends(query: Query) -> None:
    numbers = "SELECT CURRENT_TRANSACTION() AS N"
    assert query(numbers) == [{"N": None}]
    query("BEGIN")
    (first,), (second,) = query(numbers), query(numbers)
    assert first == second
    assert first["N"].isdigit()
    query("ROLLBACK")
    assert query(numbers) == [{"N": None}]
