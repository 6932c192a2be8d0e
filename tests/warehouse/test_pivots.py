"""PIVOT: named values, the values that there are, and what stands where there is none."""

from __future__ import annotations

import pytest

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.session import Session
from tests.warehouse.conftest import Query

SALES = "(SELECT COLUMN1 AS EMP, COLUMN2 AS AMOUNT, COLUMN3 AS MONTH FROM VALUES {}) AS S"
ROWS = "(1, 100, 'JAN'), (1, 50, 'JAN'), (1, 20, 'FEB'), (2, 5, 'FEB'), (2, 6, NULL)"


@pytest.fixture
def sales(query: Query) -> Query:
    query(f"CREATE TABLE SALES AS SELECT * FROM {SALES.format(ROWS)}")
    return query


def test_a_pivot_over_any_has_a_column_for_every_value(sales: Query) -> None:
    assert sales(
        "SELECT * FROM SALES PIVOT (SUM(AMOUNT) FOR MONTH IN (ANY ORDER BY MONTH)) ORDER BY EMP"
    ) == [
        {"EMP": 1, "'FEB'": 20, "'JAN'": 150, "NULL": None},
        {"EMP": 2, "'FEB'": 5, "'JAN'": None, "NULL": 6},
    ]
    counted = "SELECT P.* FROM (SELECT MONTH, EMP FROM SALES) PIVOT (COUNT(MONTH) FOR EMP IN (ANY)) AS P"
    assert sales(counted) == [{"1": 3, "2": 1}]


def test_its_columns_are_looked_for_every_time(sales: Query, session: Session) -> None:
    pivot = "SELECT * FROM SALES PIVOT (SUM(AMOUNT) FOR MONTH IN (ANY))"
    assert session.describe(pivot).table.column_names[1:] == ["'FEB'", "'JAN'", "NULL"]
    sales("DELETE FROM SALES WHERE MONTH IS NULL OR MONTH = 'JAN'")
    assert session.describe(pivot).table.column_names == ["EMP", "'FEB'"]
    sales("CREATE TABLE WIDE AS " + pivot)
    assert sales("SELECT \"'FEB'\" AS FEB FROM WIDE ORDER BY 1") == [{"FEB": 5}, {"FEB": 20}]


def test_what_has_no_value_gets_the_default(sales: Query) -> None:
    filled = (
        "SELECT * FROM SALES PIVOT (SUM(AMOUNT) FOR MONTH IN ('JAN', 'FEB') DEFAULT ON NULL (0)) ORDER BY EMP"
    )
    assert sales(filled) == [{"EMP": 1, "'JAN'": 150, "'FEB'": 20}, {"EMP": 2, "'JAN'": 0, "'FEB'": 5}]


@pytest.mark.parametrize(
    "rest",
    ["ANY ORDER BY MONTH DESC", "SELECT MONTH FROM SALES", "ANY) DEFAULT ON NULL (0"],
)
def test_other_pivots_are_refused_by_name(sales: Query, rest: str) -> None:
    with pytest.raises(Unsupported, match="PIVOT"):
        sales(f"SELECT * FROM SALES PIVOT (SUM(AMOUNT) FOR MONTH IN ({rest}))")


def test_a_view_pivots_over_named_values_only(sales: Query) -> None:
    with pytest.raises(CompilationError, match="cannot be used in views"):
        sales("CREATE VIEW W AS SELECT * FROM SALES PIVOT (SUM(AMOUNT) FOR MONTH IN (ANY))")
