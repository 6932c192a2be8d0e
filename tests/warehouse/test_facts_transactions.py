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
@pytest.mark.xfail(
    reason="DuckDB's transactions are snapshots: each sees a database as of its first statement there",
    raises=AssertionError,
    strict=True,
)
def test_each_statement_of_a_transaction_sees_what_others_have_committed(stock: Query, other: Query) -> None:
    stock("BEGIN")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 2}]
    other("INSERT INTO STOCK VALUES (3, 30)")
    assert stock("SELECT COUNT(*) AS N FROM STOCK") == [{"N": 3}]
