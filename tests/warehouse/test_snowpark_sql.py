"""What Snowpark writes and nobody would by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    yield rows_of(warehouse.open_session())
    warehouse.close()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        pytest.param(
            "SELECT ( ROW_NUMBER()  OVER ( ORDER BY  SEQ8() ) -  1 ) * (2) + (3) AS ID "
            "FROM ( TABLE (GENERATOR(ROWCOUNT => 3)))",
            [{"ID": 3}, {"ID": 5}, {"ID": 7}],
            id="session.range",
        ),
        pytest.param(
            "SELECT * FROM (( SELECT 1 AS A) AS L INNER JOIN ( SELECT 2 AS B) AS R)",
            [{"A": 1, "B": 2}],
            id="join without a condition",
        ),
        pytest.param(
            "SELECT A, B FROM (SELECT [1, 2] AS L) AS T, LATERAL (SELECT 1 AS A, 2 AS B) AS U",
            [{"A": 1, "B": 2}],
            id="a comma stays a comma",
        ),
        pytest.param(
            "SELECT * FROM ((SELECT 1 AS A, 2 AS K) AS L"
            " LEFT OUTER JOIN (SELECT 3 AS C, 2 AS K) AS R USING (K))",
            [{"K": 2, "A": 1, "C": 3}],
            id="the columns of USING come first",
        ),
        pytest.param(
            "SELECT * FROM (SELECT 1 AS A, 2 AS K) AS L JOIN (SELECT 2 AS K, 5 AS M) AS R USING (K) "
            "JOIN (SELECT 4 AS C, 5 AS M) AS S USING (M)",
            [{"M": 5, "K": 2, "A": 1, "C": 4}],
            id="those of the last join before the others",
        ),
        pytest.param("SELECT TIME('10:01:50.250')::VARCHAR AS A", [{"A": "10:01:50.25"}], id="a time"),
    ],
)
def test_it_is_understood(query: Query, sql: str, rows: list[dict[str, Any]]) -> None:
    found = query(sql)
    assert found == rows
    assert list(found[0]) == list(rows[0])
