"""Session variables and parameters."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


def value(query: Query, expression: str) -> Any:
    (row,) = query(f"SELECT {expression} AS V")
    return row["V"]


def test_variables_hold_what_their_expressions_come_to(query: Query) -> None:
    query("SET WINE = 'it''s ' || 'red'")
    query("SET (BOTTLES, WINE_2) = (2 * 3, (SELECT MAX(A) FROM (SELECT 7 AS A)))")
    assert value(query, "$wine || $BOTTLES || $WINE_2 || ' $WINE'") == "it's red67 $WINE"
    assert [(row["name"], row["value"], row["type"]) for row in query("SHOW VARIABLES LIKE 'w%'")] == [
        ("WINE", "it's red", "text"), ("WINE_2", "7", "fixed")
    ]  # fmt: skip
    query("SET NAME = 'RACK'")
    query("CREATE OR REPLACE TABLE RACK (A INT)")
    assert query("SELECT COUNT(*) AS N FROM IDENTIFIER($NAME)") == [{"N": 0}]
    query("UNSET (WINE, BOTTLES)")
    with pytest.raises(WarehouseError, match=r"Session variable '\$WINE' does not exist"):
        value(query, "$WINE")
    with pytest.raises(WarehouseError, match="exceeds size limit"):
        query("SET LONG = REPEAT('x', 300)")


def test_a_statement_is_stopped_at_its_time_limit(query: Query) -> None:
    query("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    with pytest.raises(WarehouseError, match=r"timeout of 1 second\(s\) and was canceled") as error:
        query("SELECT SYSTEM$WAIT(60)")
    assert (error.value.errno, error.value.sqlstate) == (630, "57014")
    query("ALTER SESSION UNSET STATEMENT_TIMEOUT_IN_SECONDS")
    assert value(query, "1") == 1
