"""A statement that cannot be compiled is told in Snowflake's words."""

from __future__ import annotations

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query

ORDER = "Window function type [{}] requires ORDER BY in window specification"


@pytest.mark.parametrize(
    ("statement", "told", "errno"),
    [
        ("SELECT T.C FROM T", "invalid identifier 'C'", 904),
        ("INSERT INTO T (A, C) VALUES (1, 2)", "invalid identifier 'C'", 904),
        ("UPDATE T SET C = 1", "invalid identifier 'C'", 904),
        ("SELECT A", "invalid identifier 'A'", 904),
        ("SELECT T.A FROM T JOIN T AS U ON A = 1", "ambiguous column name 'A'", 904),
        ("INSERT INTO T VALUES (1, 2, 3)", "column list expecting 2 but got 3", 2020),
        ("INSERT INTO T (A, B) SELECT 1", "column list expecting 2 but got 1", 2020),
        ("SELECT A, B, COUNT(*) FROM T GROUP BY A", "neither an aggregate nor in the group by clause", 979),
        ("SELECT 1 FROM T GROUP BY SUM(A)", "is not a valid group by expression", 979),
        ("SELECT A FROM T WHERE SUM(A) > 1", "Invalid aggregate function in where clause", 904),
        (
            "SELECT A FROM T WHERE RANK() OVER (ORDER BY A) = 1",
            "outside of SELECT, QUALIFY",
            904,
        ),
        ("SELECT GROUPING(A) FROM T", "GROUPING function without a GROUP BY", 904),
        (
            "SELECT SUM(A) OVER (ORDER BY A ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM T",
            "Invalid window frame",
            1003,
        ),
        ("SELECT ROW_NUMBER() OVER (PARTITION BY A) FROM T", ORDER.format("ROW_NUMBER"), 1003),
        ("SELECT LAG(A) IGNORE NULLS OVER (PARTITION BY B) FROM T", ORDER.format("LAG"), 1003),
        ("CREATE TABLE U AS SELECT RANK() OVER () AS N FROM T", ORDER.format("RANK"), 1003),
    ],
)
def test_what_cannot_be_compiled_is_told_as_snowflake_tells_it(
    query: Query, statement: str, told: str, errno: int
) -> None:
    query("CREATE TABLE T (A INT, B VARCHAR)")
    with pytest.raises(WarehouseError) as error:
        query(statement)
    assert told in error.value.message
    assert error.value.errno == errno
