"""Types and constraints: what DESCRIBE says of them, and what is enforced."""

from __future__ import annotations

import datetime as dt

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


@pytest.mark.fact(29, 34)
@pytest.mark.parametrize(
    ("declared", "described"),
    [
        *((word, "NUMBER(38,0)") for word in ("NUMBER", "INTEGER", "INT", "BIGINT", "SMALLINT", "DECIMAL")),
        ("NUMBER(10, 2)", "NUMBER(10,2)"),
        ("TIMESTAMP", "TIMESTAMP_NTZ(9)"),
        ("DATETIME", "TIMESTAMP_NTZ(9)"),
        pytest.param(
            *("TIMESTAMP_LTZ", "TIMESTAMP_LTZ(9)"),
            marks=pytest.mark.xfail(reason="DuckDB has one type for LTZ and TZ", raises=AssertionError),
        ),
        ("VARCHAR", "VARCHAR(16777216)"),
    ],
)
def test_a_type_is_described_by_its_full_name(query: Query, declared: str, described: str) -> None:
    query(f"CREATE OR REPLACE TABLE T (A {declared})")
    assert query("DESCRIBE TABLE T")[0]["type"] == described


@pytest.mark.fact(29)
def test_a_column_of_numbers_rounds_half_away_from_zero(query: Query) -> None:
    query("CREATE OR REPLACE TABLE T (A NUMBER, B NUMBER(4, 1))")
    query("INSERT INTO T VALUES (2.5, 1.25), (-2.5, -1.25)")
    assert [(int(row["A"]), float(row["B"])) for row in query("SELECT * FROM T ORDER BY A DESC")] == [
        (3, 1.3),
        (-3, -1.3),
    ]


@pytest.mark.fact(30)
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("verb", ["ALTER COLUMN A", "MODIFY COLUMN A", "MODIFY A"])
def test_not_null_is_set_and_dropped_later(query: Query, verb: str, tracked: bool) -> None:
    query("CREATE OR REPLACE TABLE T (A INT)")
    if tracked:
        query("CREATE OR REPLACE STREAM S ON TABLE T")
    query("INSERT INTO T VALUES (NULL)")
    with pytest.raises(WarehouseError, match=r"(?i)null"):
        query(f"ALTER TABLE T {verb} SET NOT NULL")
    query("DELETE FROM T")
    query(f"ALTER TABLE T {verb} SET NOT NULL")
    assert query("DESCRIBE TABLE T")[0]["null?"] == "N"
    with pytest.raises(WarehouseError, match="NULL result in a non-nullable column"):
        query("INSERT INTO T VALUES (NULL)")
    query(f"ALTER TABLE T {verb} DROP NOT NULL")
    query("INSERT INTO T VALUES (NULL)")


@pytest.mark.fact(30)
def test_a_check_is_enforced(query: Query) -> None:
    query("CREATE OR REPLACE TABLE T (A INT CHECK (A > 0))")
    query("INSERT INTO T VALUES (1), (NULL)")
    with pytest.raises(WarehouseError, match="CHECK constraint failed"):
        query("INSERT INTO T VALUES (0)")
    with pytest.raises(WarehouseError, match="CHECK constraint failed"):
        query("UPDATE T SET A = -1")


@pytest.mark.fact(31)
def test_json_null_is_no_sql_null(query: Query) -> None:
    (row,) = query(
        "SELECT V IS NULL AS A, V:a IS NULL AS B, IS_NULL_VALUE(V:a) AS C, V:a::VARCHAR AS D, "
        "V:b IS NULL AS E, IS_NULL_VALUE(V:b) AS F FROM (SELECT PARSE_JSON('{\"a\": null}') AS V)"
    )
    assert row == {"A": False, "B": False, "C": True, "D": None, "E": True, "F": None}


@pytest.mark.fact(34)
def test_now_is_local_time(query: Query) -> None:
    (row,) = query("SELECT CURRENT_TIMESTAMP() AS A, CURRENT_TIMESTAMP()::TIMESTAMP_NTZ AS B")
    assert row["A"].utcoffset() in (dt.timedelta(hours=-8), dt.timedelta(hours=-7))
    assert row["A"].replace(tzinfo=None) == row["B"]


@pytest.mark.fact(34)
@pytest.mark.xfail(
    reason="DuckDB has no type that keeps an offset: a TIMESTAMP_TZ is an instant in the session's zone",
    raises=AssertionError,
    strict=True,
)
def test_a_timestamp_tz_keeps_its_offset(query: Query) -> None:
    (row,) = query("SELECT '2024-06-01T23:30:00+02:00'::TIMESTAMP_TZ AS T")
    assert row["T"].utcoffset() == dt.timedelta(hours=2)
