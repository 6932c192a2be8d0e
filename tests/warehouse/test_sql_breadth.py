"""Functions and clauses that pipelines meet less often: each is as in Snowflake, or refused by its name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from snowcellar import lacking_functions
from snowcellar.errors import Unsupported, WarehouseError
from tests.warehouse.conftest import Query

WITH_A_FORMAT = ("TRY_TO_BINARY",)
"""Functions that work with a second argument and are lacking without."""
URL = (
    '{"fragment":null,"host":"USER:PASS@EXAMPLE.INT","parameters":{"USER":"1"},"path":"HELLO.PHP",'
    '"port":"4345","query":"USER=1","scheme":"http"}'
)
SHA2_512_OF_ABC = (
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
)


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    """One session beside a table N (A, B, D) of three rows."""
    shared_query("CREATE TABLE N (A INT, B VARCHAR, D DATE)")
    shared_query("INSERT INTO N VALUES (1, 'x', '2024-03-17'), (3, 'y', '2024-05-01'), (NULL, 'y', NULL)")
    return shared_query


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SHA2('abc', 512)", SHA2_512_OF_ABC),
        ("SHA2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        ("SHA2_HEX('abc', 256) = SHA2('abc')", True),
        ("SHA2(NULL, 512)", None),
        ("SOUNDEX('Marsha') || SOUNDEX('Marcia')", "M620M620"),
        ("SOUNDEX('Pfister')", "P236"),
        ("SOUNDEX('Ashcraft')", "A261"),
        ("SOUNDEX('')", ""),
        ("WIDTH_BUCKET(290000, 200000, 600000, 4)", 1),
        ("WIDTH_BUCKET(600000, 200000, 600000, 4)", 5),
        ("WIDTH_BUCKET(1, 200000, 600000, 4)", 0),
        ("WIDTH_BUCKET(NULL, 0, 1, 4)", None),
        ("PARSE_URL('mailto:abc@xyz.com'):path::VARCHAR", "abc@xyz.com"),
        ("PARSE_URL('http://USER:PASS@EXAMPLE.INT:4345/HELLO.PHP?USER=1')", URL),
        ("PARSE_URL('example.int/hello', 1)", '{"error":"scheme not specified"}'),
        ("PARSE_URL(NULL)", None),
        ("DATE_TRUNC('MONTH', '2024-03-17'::DATE)", dt.date(2024, 3, 1)),
        ("DATE_TRUNC(WEEK, '2024-03-17'::DATE)", dt.date(2024, 3, 11)),
        ("TRUNC('2024-03-17'::DATE, 'QUARTER')", dt.date(2024, 1, 1)),
        ("TRUNC(1.55, 1)", Decimal("1.5")),
        ("NEXT_DAY('2024-03-17'::DATE, 'mo')", dt.date(2024, 3, 18)),
        ("DATE_TRUNC('HOUR', '2024-03-17 10:11:12'::TIMESTAMP)", dt.datetime(2024, 3, 17, 10)),
        ("DATE_TRUNC('MONTH', '2024-03-17'::DATE)::VARCHAR", "2024-03-01"),
        ("HASH(1, 'x') = HASH(1, 'x') AND HASH(1) <> HASH(2)", True),
        ("HASH(1) BETWEEN -9223372036854775808 AND 9223372036854775807", True),
    ],
)
def test_a_function_is_as_in_snowflake(query: Query, expression: str, expected: Any) -> None:
    assert query(f"SELECT {expression} AS X") == [{"X": expected}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("RATIO_TO_REPORT(A) OVER ()", [0.25, 0.75, None]),
        ("RATIO_TO_REPORT(A) OVER (PARTITION BY B ORDER BY A)", [1.0, 1.0, None]),
        ("RATIO_TO_REPORT(A - 3) OVER (PARTITION BY B)", [1.0, None, None]),
        ("CONDITIONAL_TRUE_EVENT(B = 'y') OVER (ORDER BY A)", [0, 1, 2]),
        ("CONDITIONAL_TRUE_EVENT(A > 0) OVER (PARTITION BY B ORDER BY A)", [1, 1, 1]),
        ("DATE_TRUNC('YEAR', D)", [dt.date(2024, 1, 1), dt.date(2024, 1, 1), None]),
    ],
)
def test_over_rows_a_function_is_as_in_snowflake(query: Query, expression: str, expected: list[Any]) -> None:
    assert [row["X"] for row in query(f"SELECT {expression} AS X FROM N ORDER BY A")] == expected


def test_listagg_of_nothing_is_an_empty_text(query: Query) -> None:
    listed = "SELECT LISTAGG(B, ',') WITHIN GROUP (ORDER BY B DESC) AS L FROM N WHERE {}"
    assert query(listed.format("FALSE")) == [{"L": ""}]
    assert query(listed.format("B = 'y'")) == [{"L": "y,y"}]
    windows = (
        "SELECT DISTINCT LISTAGG(B) WITHIN GROUP (ORDER BY B) OVER (PARTITION BY B) AS L FROM N WHERE B = 'y'"
    )
    assert query(windows) == [{"L": "yy"}]


def test_a_sample_is_of_rows_or_of_blocks(query: Query) -> None:
    for how in ("SAMPLE (100)", "SAMPLE BLOCK (100)", "TABLESAMPLE SYSTEM (100)", "SAMPLE (3 ROWS)"):
        assert query(f"SELECT COUNT(*) AS N FROM N {how}") == [{"N": 3}], how


def test_hash_agg_is_of_a_set_of_rows_and_of_nothing_0(query: Query) -> None:
    hashes = [
        query(f"SELECT HASH_AGG({columns}) AS H FROM {rows}")[0]["H"]
        for columns, rows in (
            ("*", "N"),
            ("A, B, D", "(SELECT * FROM N ORDER BY A DESC)"),
            ("*", "(SELECT * FROM N UNION ALL SELECT * FROM N)"),
            ("*", "N WHERE FALSE"),
        )
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[3] == 0


def test_getvariable_gives_the_sessions_variable_as_text(query: Query) -> None:
    query("SET (ONE, IT) = (1, 'it''s')")
    asked = "SELECT GETVARIABLE('ONE') AS A, GETVARIABLE('IT') AS B, GETVARIABLE('one') AS C"
    assert query(asked) == [{"A": "1", "B": "it's", "C": None}]
    query("SET IT = 2.50")
    assert query(asked)[0]["B"] == "2.50"


def test_order_by_all_orders_by_every_column_from_the_left(query: Query) -> None:
    rows = query("SELECT B, A FROM N ORDER BY ALL DESC NULLS LAST")
    assert [tuple(row.values()) for row in rows] == [("y", 3), ("y", None), ("x", 1)]
    assert [row["A"] for row in query("SELECT A FROM N ORDER BY ALL LIMIT 2")] == [1, 3]


def test_rows_are_numbered_by_a_sequence_as_session_range_does(query: Query) -> None:
    numbered = "(ROW_NUMBER() OVER (ORDER BY SEQ8()) - 1) * (2) + (1) AS ID"
    numbers = query(f"SELECT {numbered} FROM (TABLE(GENERATOR(ROWCOUNT => 3)))")
    assert [row["ID"] for row in numbers] == [1, 3, 5]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("CONDITIONAL_CHANGE_EVENT(B) OVER (ORDER BY A)", "CONDITIONAL_CHANGE_EVENT"),
        ("HASH_AGG(DISTINCT A)", r"HASH_AGG\(DISTINCT"),
        ("GET_DDL('TABLE', 'N')", "GET_DDL"),
        ("MD5_NUMBER_LOWER64(B)", "MD5_NUMBER_LOWER64"),
        ("AI_COMPLETE('model', B)", "AI_COMPLETE"),
    ],
)
def test_a_function_that_is_lacking_is_refused_by_name(query: Query, expression: str, named: str) -> None:
    with pytest.raises(Unsupported, match=f"Unsupported feature '.*{named}") as error:
        query(f"SELECT {expression} FROM N")
    assert "docs/snowcellar.md" in error.value.message


def test_the_functions_that_are_said_to_be_lacking_are(query: Query) -> None:
    """One that has come to be must leave the list."""
    for name in sorted(lacking_functions.NAMES):
        refusals = set()
        for arguments in ("", "1", "1, 1", "'x', 'x', 'x'"):
            try:
                query(f"SELECT {name}({arguments})")
                refusals.add("works")
            except WarehouseError as error:
                refusals.add("named" if error.errno == 2 and name in error.message else error.message)
        assert "works" not in refusals or name in WITH_A_FORMAT, name
        assert "named" in refusals, (name, refusals)


@pytest.mark.parametrize(
    ("expression", "says", "errno"),
    [
        ("'2024-02-30'::DATE", "Date '2024-02-30' is not recognized", 100040),
        ("TO_DATE('abc')", "Date 'abc' is not recognized", 100040),
        ("B::DATE", "Date 'x' is not recognized", 100040),
        ("'abc'::TIMESTAMP_NTZ", "Timestamp 'abc' is not recognized", 100035),
        ("'abc'::TIME", "Time 'abc' is not recognized", 100108),
        ("'abc'::BOOLEAN", "Boolean value 'abc' is not recognized", 100037),
        ("'abc'::NUMBER(10, 2)", "Numeric value 'abc' is not recognized", 100038),
        ("B::FLOAT", "Numeric value 'x' is not recognized", 100038),
        ("SHA2('x', 100)", "Invalid digest size 100", 1003),
        ("PARSE_URL('example.int/hello')", "Error parsing URL: scheme not specified", 100037),
    ],
)
def test_a_text_that_is_no_value_is_told_as_in_snowflake(
    query: Query, expression: str, says: str, errno: int
) -> None:
    with pytest.raises(WarehouseError, match=says) as error:
        query(f"SELECT {expression} FROM N WHERE A = 1")
    assert error.value.errno == errno


def test_weeks_begin_on_monday_and_may_not_be_set_to_begin_otherwise(query: Query) -> None:
    query("ALTER SESSION SET WEEK_START = 0, WEEK_OF_YEAR_POLICY = 0")
    for setting in ("WEEK_START = 7", "WEEK_OF_YEAR_POLICY = 1"):
        with pytest.raises(Unsupported, match=setting):
            query(f"ALTER SESSION SET {setting}")
    assert query("SELECT DAYOFWEEK('2024-03-17'::DATE) AS X") == [{"X": 0}]
