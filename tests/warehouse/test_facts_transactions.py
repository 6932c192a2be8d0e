"""Transactions and locks: how long a waiter waits, and what DuckDB's transactions cannot do."""

from __future__ import annotations

import pytest

from snowcellar.errors import TransactionBroken, WarehouseError
from tests.warehouse.conftest import Query


@pytest.mark.fact(26)
@pytest.mark.parametrize(
    "statement", ["UPDATE STOCK SET LEVEL = 2", "DELETE FROM STOCK", "TRUNCATE TABLE STOCK"]
)
def test_a_waiter_waits_as_long_as_lock_timeout_says(stock: Query, other: Query, statement: str) -> None:
    stock("BEGIN")
    stock("UPDATE STOCK SET LEVEL = 1")
    other("ALTER SESSION SET LOCK_TIMEOUT = 0")
    with pytest.raises(WarehouseError, match="has been locked by another transaction") as error:
        other(statement)
    assert error.value.errno == 625
    stock("COMMIT")
    other("UPDATE STOCK SET LEVEL = LEVEL + 1")
    assert stock("SELECT SUM(LEVEL) AS L FROM STOCK") == [{"L": 4}]


@pytest.mark.fact(24)
@pytest.mark.xfail(
    reason="DuckDB has no savepoints: a statement that fails as it runs ends its transaction",
    raises=TransactionBroken,
    strict=True,
)
def test_a_failed_statement_leaves_the_transaction_open(stock: Query) -> None:
    """Never in silence: what follows is refused until ROLLBACK (test_transactions.py)."""
    stock("BEGIN")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    with pytest.raises(WarehouseError):
        stock("INSERT INTO STOCK VALUES (4, NULL)")
    stock("COMMIT")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 3}]


@pytest.mark.fact(26)
def test_each_statement_of_a_transaction_sees_what_others_have_committed(stock: Query, other: Query) -> None:
    stock("BEGIN")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 2}]
    other("INSERT INTO STOCK VALUES (3, 30)")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 3}]
    other("UPDATE STOCK SET LEVEL = 5 WHERE ID = 1")
    assert stock("UPDATE STOCK SET LEVEL = LEVEL + 1 WHERE ID = 1")[0]["number of rows updated"] == 1
    assert stock("SELECT LEVEL FROM STOCK WHERE ID = 1") == [{"LEVEL": 6}]
    stock("COMMIT")


@pytest.mark.fact(26)
@pytest.mark.xfail(
    reason="DuckDB's transactions are snapshots: one that has written cannot be begun anew",
    raises=WarehouseError,
    strict=True,
)
def test_a_transaction_that_has_written_sees_what_others_have_committed(stock: Query, other: Query) -> None:
    stock("CREATE TABLE BESIDE (A INT)")
    stock("BEGIN")
    stock("INSERT INTO BESIDE VALUES (1)")
    stock("SELECT * FROM STOCK")
    other("UPDATE STOCK SET LEVEL = 5 WHERE ID = 1")
    assert stock("UPDATE STOCK SET LEVEL = LEVEL + 1 WHERE ID = 1")[0]["number of rows updated"] == 1


@pytest.mark.fact(2)
def test_a_stream_that_a_transaction_has_read_shows_the_same_while_tables_go_on(
    stock: Query, other: Query
) -> None:
    """Read before the stream, another's change is seen in the table; in the stream it never is."""
    stock("CREATE STREAM S ON TABLE STOCK")
    stock("INSERT INTO STOCK VALUES (3, 30)")
    stock("BEGIN")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 3}]
    other("INSERT INTO STOCK VALUES (4, 40)")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 4}]
    for level in (50, 60):
        assert stock("SELECT ID FROM S") == [{"ID": 3}]
        other(f"INSERT INTO STOCK VALUES (5, {level})")
    stock("INSERT INTO STOCK SELECT ID, 0 FROM S")
    stock("COMMIT")
    assert stock("SELECT LEVEL FROM S ORDER BY LEVEL") == [{"LEVEL": n} for n in (0, 40, 50, 60)]
