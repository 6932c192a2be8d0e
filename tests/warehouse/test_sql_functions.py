"""Functions that Snowpark's function module emits, and what Snowflake answers to them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from snowcellar.errors import Unsupported, WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    """One session, with one row of semi-structured values in J."""
    shared_query("CREATE TABLE J (V VARIANT, O OBJECT, L ARRAY, T TIMESTAMP_NTZ, Z TIMESTAMP_LTZ, F FLOAT)")
    shared_query("""INSERT INTO J SELECT PARSE_JSON('{"a": {"b": [1, "x"]}, "n": null, "f": 1.5}'),
           OBJECT_CONSTRUCT('z', 's', 'k', 1), ARRAY_CONSTRUCT(3, 1, 2),
           '2024-03-17 10:11:12', TO_TIMESTAMP_LTZ('2024-03-17 10:11:12 +0000'), 3""")
    return shared_query


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ARRAY_APPEND(L, 'x')", '[3,1,2,"x"]'),
        ("ARRAY_PREPEND(L, 9)", "[9,3,1,2]"),
        ("ARRAY_CAT(L, [4, [5]])", "[3,1,2,4,[5]]"),
        ("ARRAY_COMPACT(ARRAY_CONSTRUCT(1, NULL, 'a'))", '[1,"a"]'),
        ("ARRAY_CONTAINS(1::VARIANT, L)", True),
        ("ARRAY_CONTAINS('x'::VARIANT, ['x'])", True),
        ("ARRAY_DISTINCT([2, 1, 2])", "[2,1]"),
        ("ARRAY_EXCEPT([1, 1, 2], [1])", "[1,2]"),
        ("ARRAY_INTERSECTION([1, 1, 2], [1])", "[1]"),
        ("ARRAYS_OVERLAP(L, [1])", True),
        ("ARRAY_FLATTEN([[1], [2, 3]])", "[1,2,3]"),
        ("ARRAY_GENERATE_RANGE(1, 4)", "[1,2,3]"),
        ("ARRAY_INSERT(L, 1, 9)", "[3,9,1,2]"),
        ("ARRAY_MAX([2, 10])", "10"),
        ("ARRAY_MIN(['b', 'a'])", '"a"'),
        ("ARRAY_POSITION(1::VARIANT, L)", 1),
        ("ARRAY_POSITION(7::VARIANT, L)", None),
        ("ARRAY_REMOVE(L, 1)", "[3,2]"),
        ("ARRAY_REMOVE_AT(L, -1)", "[3,1]"),
        ("ARRAY_SIZE(L)", 3),
        ("ARRAY_SIZE(O)", None),
        ("ARRAY_SLICE(L, 0, 2)", "[3,1]"),
        ("ARRAY_SLICE(L, 0, -2)", "[3]"),
        ("ARRAY_SORT([10, 9, NULL])", "[9,10,null]"),
        ("ARRAY_SORT(L, FALSE)", "[3,2,1]"),
        ("ARRAY_TO_STRING(L, '-')", "3-1-2"),
        ("ARRAYS_TO_OBJECT(['a'], [1])", '{"a":1}'),
        ("TO_ARRAY('a')", '["a"]'),
        ("SPLIT('a,b', ',')", '["a","b"]'),
        ("STRTOK_TO_ARRAY('a  b')", '["a","b"]'),
        ("REGEXP_SUBSTR_ALL('a1b2', '[0-9]')", '["1","2"]'),
        ("OBJECT_KEYS(O)", '["k","z"]'),
        ("OBJECT_INSERT(O, 'm', 2)", '{"k":1,"m":2,"z":"s"}'),
        ("OBJECT_INSERT(O, 'k', [2], TRUE)", '{"k":[2],"z":"s"}'),
        ("OBJECT_DELETE(O, 'k', 'nothing')", '{"z":"s"}'),
        ("OBJECT_PICK(O, ['k'])", '{"k":1}'),
        ("TO_OBJECT(V):f::FLOAT", 1.5),
        ("{'a': {'b': [F]}}", '{"a":{"b":[3.0]}}'),
        ("GET_IGNORE_CASE(V, 'F')::FLOAT", 1.5),
        ("AS_INTEGER(V:a.b[0])", 1),
        ("AS_INTEGER(V:f)", None),
        ("AS_NUMBER(V:f, 10, 1)", Decimal("1.5")),
        ("AS_VARCHAR(V:a.b[1])", "x"),
        ("AS_VARCHAR(V:f)", None),
        ("AS_ARRAY(V:a.b)", '[1,"x"]'),
        ("AS_OBJECT(V:a.b)", None),
        ("IS_DOUBLE(V:f)", True),
    ],
)
def test_arrays_and_objects(query: Query, expression: str, expected: Any) -> None:
    (row,) = query(f"SELECT {expression} AS X FROM J")
    assert row["X"] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("TO_TIMESTAMP(1710669600)", dt.datetime(2024, 3, 17, 10)),
        ("TO_TIMESTAMP(1710669600123, 3)", dt.datetime(2024, 3, 17, 10, 0, 0, 123000)),
        ("TO_TIMESTAMP('1710669600')", dt.datetime(2024, 3, 17, 10)),
        ("TO_TIMESTAMP('1710669600123')", dt.datetime(2024, 3, 17, 10, 0, 0, 123000)),
        ("TO_TIMESTAMP_LTZ(1710669600)", dt.datetime(2024, 3, 17, 10, tzinfo=dt.UTC)),
        ("TO_TIMESTAMP_NTZ(T::VARCHAR)", dt.datetime(2024, 3, 17, 10, 11, 12)),
        ("TO_TIMESTAMP_NTZ(Z)", dt.datetime(2024, 3, 17, 3, 11, 12)),
        ("TO_TIMESTAMP_LTZ(T::VARCHAR || ' +0200')", dt.datetime(2024, 3, 17, 8, 11, 12, tzinfo=dt.UTC)),
        ("TO_TIMESTAMP(T::DATE)", dt.datetime(2024, 3, 17)),
        ("TO_TIMESTAMP('17/03/2024 10.5', 'DD/MM/YYYY HH24.FF')", dt.datetime(2024, 3, 17, 10, 0, 0, 500000)),
        ("TO_DATE('20240317', 'YYYYMMDD')", dt.date(2024, 3, 17)),
        ("TRY_TO_DATE('17/03/2024', 'DD/MM/YYYY')", dt.date(2024, 3, 17)),
        ("TRY_TO_DATE('30/02/2024', 'DD/MM/YYYY')", None),
        ("TRY_TO_TIMESTAMP('17/03/2024 01:02', 'DD/MM/YYYY HH24:MI')", dt.datetime(2024, 3, 17, 1, 2)),
        ("TO_CHAR(T, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF3')", "2024-03-17T10:11:12.000"),
        ("TO_CHAR(T, 'DY, DD MON YY HH12:MI AM')", "Sun, 17 Mar 24 10:11 AM"),
        ("T::VARCHAR", "2024-03-17 10:11:12.000"),
        ("T::VARCHAR(10)", "2024-03-17"),
        ("Z::VARCHAR", "2024-03-17 03:11:12.000 -0700"),
        ("DATEADD(DAY, 1, T)::VARCHAR", "2024-03-18 10:11:12.000"),
        ("TO_VARCHAR(F)", "3"),
        ("F::VARCHAR || T::DATE::VARCHAR", "32024-03-17"),
    ],
)
def test_times_and_their_texts(query: Query, expression: str, expected: Any) -> None:
    (row,) = query(f"SELECT {expression} AS X FROM J")
    assert row["X"] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("LTRIM('xxax', 'x')", "ax"),
        ("RTRIM('axx', 'x')", "a"),
        ("TRIM('xayx', 'xy')", "a"),
        ("OCTET_LENGTH('é')", 2),
    ],
)
def test_texts(query: Query, expression: str, expected: Any) -> None:
    (row,) = query(f"SELECT {expression} AS X FROM J")
    assert row["X"] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "LATERAL FLATTEN(INPUT => L) F",
            [(0, None, "[0]", "3"), (1, None, "[1]", "1"), (2, None, "[2]", "2")],
        ),
        ("LATERAL FLATTEN(O) F", [(None, "k", "k", "1"), (None, "z", "z", '"s"')]),
        (
            "TABLE(FLATTEN(INPUT => V, PATH => 'a.b')) F",
            [(0, None, "a.b[0]", "1"), (1, None, "a.b[1]", '"x"')],
        ),
        ("LATERAL FLATTEN(INPUT => V:none) F", []),
        ("LATERAL FLATTEN(INPUT => V:none, OUTER => TRUE) F", [(None, None, None, None)]),
        ("LATERAL FLATTEN(INPUT => V:f, OUTER => TRUE) F", [(None, None, None, None)]),
        ("LATERAL FLATTEN(INPUT => L, MODE => 'OBJECT') F", []),
    ],
)
def test_flatten(query: Query, source: str, expected: list[tuple[Any, ...]]) -> None:
    found = query(f"SELECT F.INDEX, F.KEY, F.PATH, F.VALUE FROM J, {source} ORDER BY 3")
    assert [tuple(row.values()) for row in found] == expected


def test_texts_are_split_into_rows(query: Query) -> None:
    assert query("SELECT S.INDEX, S.VALUE FROM J, LATERAL SPLIT_TO_TABLE('a b', ' ') S ORDER BY 1") == [
        {"INDEX": 1, "VALUE": "a"}, {"INDEX": 2, "VALUE": "b"}
    ]  # fmt: skip
    assert query("SELECT VALUE FROM TABLE(STRTOK_SPLIT_TO_TABLE('a,;b', ',;')) ORDER BY INDEX") == [
        {"VALUE": "a"}, {"VALUE": "b"}
    ]  # fmt: skip


def test_a_key_that_is_there_is_not_inserted_again(query: Query) -> None:
    with pytest.raises(WarehouseError, match="Duplicate field key 'k'"):
        query("SELECT OBJECT_INSERT(O, 'k', 2) FROM J")


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("TRANSFORM(L, X INT -> X + 1)", "TRANSFORM"),
        ("ARRAYS_ZIP(L, L)", "ARRAYS_ZIP"),
        ("TO_CHAR(F, '999')", "TO_CHAR with the format '999'"),
        ("(SELECT COUNT(*) FROM LATERAL FLATTEN(INPUT => V, RECURSIVE => TRUE))", "RECURSIVE"),
    ],
)
def test_what_is_lacking_is_refused_by_name(query: Query, expression: str, named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        query(f"SELECT {expression} FROM J")


@pytest.mark.parametrize("call", ["TO_TIMESTAMP_LTZ()", "SHA2()", "AS_NUMBER()"])
def test_a_call_with_too_few_arguments_is_told_so(query: Query, call: str) -> None:
    with pytest.raises(WarehouseError, match="not enough arguments for function") as told:
        query(f"SELECT {call} FROM J")
    assert told.value.errno == 938


@pytest.mark.parametrize("call", ["RESULT_SCAN()", "INFORMATION_SCHEMA.COPY_HISTORY()"])
def test_a_table_function_without_its_argument_is_told_so(query: Query, call: str) -> None:
    with pytest.raises(WarehouseError, match="not enough arguments for function") as told:
        query(f"SELECT * FROM TABLE({call})")
    assert told.value.errno == 938
