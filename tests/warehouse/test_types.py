"""Numbers, text, semi-structured values and times as Snowflake has them (SEMANTICS 29 to 34)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


DOCUMENT = (
    '{"nothing": null, "text": "Brut \\"nature\\" é", "number": 19.90, "list": [1, 2], "flag": true,'
    ' "whole": 1234567890123456789, "deep": {"er": "x"}}'
)


def value(query: Query, expression: str) -> Any:
    (row,) = query(f"SELECT {expression} AS V")
    return row["V"]


@pytest.mark.fact(29)
@pytest.mark.parametrize("expression", ["1 / 0", "1 % 0", "1.5 / 0.0", "MOD(5, 0)", "1::FLOAT / 0"])
def test_division_by_zero_is_an_error(query: Query, expression: str) -> None:
    """SEMANTICS 29 (PITFALLS 8 and 37)."""
    with pytest.raises(WarehouseError, match="Division by zero") as error:
        query(f"SELECT {expression}")
    assert error.value.errno == 100051


def test_division_by_zero_is_an_error_in_views_and_tables_made_from_queries(query: Query) -> None:
    query("CREATE OR REPLACE VIEW V AS SELECT 1 / X AS Q FROM (SELECT 0 AS X)")
    for statement in (
        "SELECT * FROM V",
        "CREATE OR REPLACE TABLE T AS SELECT 1 / X AS Q FROM (SELECT 0 AS X)",
    ):
        with pytest.raises(WarehouseError, match="Division by zero"):
            query(statement)


@pytest.mark.fact(29)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2.5::NUMBER", 3),
        ("-2.5::NUMBER", -3),
        ("3.5::INTEGER", 4),
        ("'2.5'::NUMBER", 3),
        ("12.99::NUMBER", 13),
        ("0.125::NUMBER(10, 2)", Decimal("0.13")),
        ("-0.125::NUMBER(10, 2)", Decimal("-0.13")),
        ("'12.345'::NUMBER(12, 2)", Decimal("12.35")),
        ("ROUND(2.5)", 3),
        ("TRY_CAST('12' AS NUMBER(38, 0))", 12),
        ("TRY_CAST('PROD-1' AS NUMBER(38, 0))", None),
        ("TRY_CAST('1e400' AS NUMBER(38, 0))", None),
    ],
)
def test_numbers_round_half_away_from_zero(query: Query, expression: str, expected: Any) -> None:
    """SEMANTICS 29 (PITFALLS 1, 23 and 24)."""
    assert value(query, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(SUM(P) / COUNT(*))::NUMBER(12, 2)", Decimal("5.08")),
        ("AVG(P)::NUMBER(12, 2)", Decimal("5.08")),
        ("CAST(-AVG(P) / 1 AS NUMBER(12, 2))", Decimal("-5.08")),
        ("(SUM(P) / 4)::NUMBER(12, 3)", Decimal("2.538")),
        ("(COUNT(*) / 4)::NUMBER", 1),
        ("(COUNT(*) / 4)::NUMBER(38, 0)", 1),
        ("(SUM(P) / NULLIF(0, 0))::NUMBER(12, 2)", None),
        ("MEDIAN(P)", 5.075),
        ("MEDIAN(P)::NUMBER(12, 2)", Decimal("5.08")),
        ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY P)", 5.075),
    ],
)
def test_an_average_of_money_is_rounded_as_decimals_are(
    query: Query, expression: str, expected: Decimal | float | None
) -> None:
    """Half of 10.15 is 5.075, which as a double lies below it."""
    query("CREATE OR REPLACE TABLE M (P NUMBER(12, 2))")
    query("INSERT INTO M VALUES (10.10), (0.05)")
    assert query(f"SELECT {expression} AS V FROM M") == [{"V": expected}]


def test_a_count_over_nothing_is_zero(query: Query) -> None:
    query("CREATE OR REPLACE TABLE M (P NUMBER(12, 2))")
    assert query("SELECT COUNT_IF(P > 1) AS N FROM M") == [{"N": 0}]
    query("INSERT INTO M VALUES (1), (2), (NULL)")
    assert query("SELECT COUNT_IF(P > 1) AS N, COUNT_IF(P > 5) AS Z FROM M") == [{"N": 1, "Z": 0}]
    assert query("SELECT COUNT_IF(P > 1) OVER (ORDER BY P ASC) AS N FROM M ORDER BY P") == [
        {"N": 0}, {"N": 1}, {"N": 1}
    ]  # fmt: skip


def test_a_time_is_written_in_a_format_or_the_format_is_refused(query: Query) -> None:
    query("CREATE OR REPLACE TABLE M (T TIMESTAMP_NTZ)")
    query("INSERT INTO M VALUES ('2025-07-31 21:05:09')")
    [row] = query(
        "SELECT TO_CHAR(T, 'YYYY-MM') AS A, TO_VARCHAR(T::DATE, 'dd/mm/yyyy HH24:MI:SS') AS B FROM M"
    )
    assert row == {"A": "2025-07", "B": "31/07/2025 00:00:00"}
    for refused in ("'Q'", "'999'"):
        with pytest.raises(WarehouseError, match="TO_CHAR with the format"):
            query(f"SELECT TO_CHAR(T, {refused}) FROM M")


@pytest.mark.parametrize(
    "factor",
    [
        "'999999999'::NUMBER(9, 0)",
        "TRY_CAST('999999999' AS NUMBER(9, 0))",
        "TRY_TO_DECIMAL('999999999', 18, 0)",
        "IFF(TRUE, TRY_CAST('999999999' AS NUMBER(9, 0)), NULL)",
        "(CASE WHEN FALSE THEN NULL ELSE COALESCE(NULL, 999999999::NUMBER(9, 0)) END)",
    ],
)
def test_a_product_has_the_digits_of_both_factors(query: Query, factor: str) -> None:
    """One order with a quantity and a price at the bounds of their columns stopped everything."""
    [row] = query(
        f"SELECT {factor} * '9999999999.99'::NUMBER(12, 2) AS P, 2::NUMBER(9, 1) * 3::NUMBER(4, 2) AS Q"
    )
    assert row == {"P": Decimal("9999999989990000000.01"), "Q": Decimal("6.000")}


def test_sums_of_money_are_exact(query: Query) -> None:
    """PITFALL 1; fakesnow sums as DOUBLE."""
    query("CREATE OR REPLACE TABLE M (P NUMBER(12, 2))")
    query("INSERT INTO M SELECT 0.10 FROM TABLE(GENERATOR(ROWCOUNT => 1000))")
    assert query("SELECT SUM(P), SUM(P * 3) AS T FROM M") == [
        {"SUM(P)": Decimal("100.00"), "T": Decimal("300.00")}
    ]
    assert query("SELECT S FROM (SELECT SUM(P) AS S FROM M) WHERE S = 100") == [{"S": Decimal("100.00")}]


@pytest.mark.fact(31)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("V:missing IS NULL", True),
        ("V:nothing IS NULL", False),
        ("IS_NULL_VALUE(V:nothing)", True),
        ("V:nothing::VARCHAR", None),
        ("V:text::VARCHAR", 'Brut "nature" é'),
        ("V:number::NUMBER(12, 2)", Decimal("19.90")),
        ("V:whole::NUMBER(38, 0)", 1234567890123456789),
        ("V:list[1]::NUMBER", 2),
        ("V:deep.er::VARCHAR", "x"),
        ("V['deep']['er']::VARCHAR", "x"),
        ("TYPEOF(V:list)", "ARRAY"),
        ("TYPEOF(V:text)", "VARCHAR"),
        ("TYPEOF(V:nothing)", "NULL_VALUE"),
        ("IS_INTEGER(V:whole)", True),
        ("IS_OBJECT(V:deep)", True),
        ("ARRAY_SIZE(V:list)", 2),
        ("V:flag::BOOLEAN", True),
    ],
)
def test_variants_are_read_as_snowflake_reads_them(query: Query, expression: str, expected: Any) -> None:
    """SEMANTICS 31."""
    query("CREATE OR REPLACE TABLE J (V VARIANT)")
    query(
        "INSERT INTO J SELECT PARSE_JSON(?)",
        [DOCUMENT],
    )
    assert query(f"SELECT {expression} AS V FROM J") == [{"V": expected}]


@pytest.mark.fact(31)
@pytest.mark.parametrize("cast", ["V::VARCHAR", "CAST(V AS TEXT)", "TO_VARCHAR(V)", "V::STRING || ''"])
def test_a_variant_string_as_text_has_no_quotes(query: Query, cast: str) -> None:
    """SEMANTICS 31: a column, where DuckDB's cast would keep JSON's quotes."""
    query("CREATE OR REPLACE TABLE J (V VARIANT)")
    query("INSERT INTO J SELECT TO_VARIANT('it''s \"red\"')")
    assert query(f"SELECT {cast} AS V FROM J") == [{"V": 'it\'s "red"'}]


@pytest.mark.parametrize("text", ["", "not json", "{", '{"a": 1, "a": 2}', "{'a': 1}", "[1,", '"open'])
def test_try_parse_json_is_null_for_what_is_not_json(query: Query, text: str) -> None:
    """PITFALL 23."""
    assert query("SELECT TRY_PARSE_JSON(?) IS NULL AS V", [text]) == [{"V": True}]


@pytest.mark.fact(34)
def test_times_with_an_offset(query: Query) -> None:
    """SEMANTICS 34 (PITFALL 7): NTZ drops the offset, LTZ and TZ are the instant."""
    instant = dt.datetime(2024, 6, 1, 21, 30, tzinfo=dt.UTC)
    text = "'2024-06-01T23:30:00+02:00'"
    assert value(query, f"{text}::TIMESTAMP_NTZ") == dt.datetime(2024, 6, 1, 23, 30)
    for kind in ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"):
        assert value(query, f"{text}::{kind}") == instant
        assert value(query, f"TO_{kind}({text})") == instant
        assert value(query, f"TRY_TO_{kind}({text})") == instant
    for wrong in ("2024-02-30T00:00:00Z", "yesterday", ""):
        assert value(query, f"TRY_TO_TIMESTAMP_TZ('{wrong}')") is None
        assert value(query, f"TRY_CAST('{wrong}' AS TIMESTAMP_NTZ)") is None


@pytest.mark.fact(34)
def test_the_session_time_zone_is_los_angeles_until_set(query: Query) -> None:
    """SEMANTICS 34 (PITFALL 6)."""
    query("CREATE OR REPLACE TABLE T (L TIMESTAMP_LTZ)")
    query("INSERT INTO T VALUES ('2024-01-01T12:00:00Z')")
    assert query("SELECT L::TIMESTAMP_NTZ AS N, L::DATE AS D FROM T") == [
        {"N": dt.datetime(2024, 1, 1, 4), "D": dt.date(2024, 1, 1)}
    ]
    query("ALTER SESSION SET TIMEZONE = 'Asia/Tokyo'")
    assert query("SELECT L::TIMESTAMP_NTZ AS N FROM T") == [{"N": dt.datetime(2024, 1, 1, 21)}]
    query("ALTER SESSION UNSET TIMEZONE")
    now = query("SELECT CURRENT_TIMESTAMP()::TIMESTAMP_NTZ AS HERE, SYSDATE() AS UTC")[0]
    assert dt.timedelta(hours=6.9) < now["UTC"] - now["HERE"] < dt.timedelta(hours=8.1)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "CONVERT_TIMEZONE('UTC', 'Europe/Paris', '2024-06-30 22:30:00'::TIMESTAMP_NTZ)",
            dt.datetime(2024, 7, 1, 0, 30),
        ),
        (
            "CONVERT_TIMEZONE('UTC', 'Europe/Paris', '2024-12-31 23:30:00'::TIMESTAMP_NTZ)::DATE",
            dt.date(2025, 1, 1),
        ),
        ("'1969-12-31 23:59:59.123456'::TIMESTAMP_NTZ", dt.datetime(1969, 12, 31, 23, 59, 59, 123456)),
        ("DATE '1960-02-29'", dt.date(1960, 2, 29)),
        ("NULL::TIMESTAMP_NTZ", None),
    ],
)
def test_times_elsewhere_and_long_ago(query: Query, expression: str, expected: Any) -> None:
    """PITFALL 6 and dates before 1970."""
    assert value(query, expression) == expected


@pytest.mark.fact(32)
def test_names_fold_to_upper_case_unless_quoted(query: Query) -> None:
    """SEMANTICS 32."""
    query('CREATE OR REPLACE TABLE Cellar ("rack" INT, Shelf INT)')
    query('INSERT INTO CELLAR ("rack", SHELF) VALUES (1, 2)')
    assert query('SELECT "rack", shelf FROM cellar') == [{"rack": 1, "SHELF": 2}]
    with pytest.raises(WarehouseError):
        query('SELECT "shelf" FROM CELLAR WHERE "shelf" = 2 AND NOWHERE = 1')
