"""MERGE (SEMANTICS 23; PITFALL 9 is a source that is not deduplicated)."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture
def merge(query: Query) -> Query:
    """A table T with (1, 'one') and (2, 'two'), and a table S for the source."""
    query("CREATE TABLE T (ID INT, NAME VARCHAR)")
    query("INSERT INTO T VALUES (1, 'one'), (2, 'two')")
    query("CREATE TABLE S (ID INT, NAME VARCHAR, GONE BOOLEAN)")
    return query


def rows(query: Query) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in query("SELECT * FROM T"))


@pytest.mark.fact(23)
def test_result_columns_are_those_of_the_clauses_present(merge: Query) -> None:
    merge("INSERT INTO S VALUES (1, 'uno', FALSE), (2, 'dos', TRUE), (3, 'tres', FALSE)")
    assert merge("MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED AND S.ID = 9 THEN DELETE") == [
        {"number of rows deleted": 0}
    ]
    assert merge(
        "MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED AND S.GONE THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET NAME = S.NAME "
        "WHEN NOT MATCHED THEN INSERT (ID, NAME) VALUES (S.ID, S.NAME)"
    ) == [{"number of rows inserted": 1, "number of rows updated": 1, "number of rows deleted": 1}]
    assert rows(merge) == [(1, "uno"), (3, "tres")]


@pytest.mark.fact(23)
@pytest.mark.parametrize("tracked", [False, True])
def test_a_row_matched_twice_is_error_100090_with_its_values(merge: Query, tracked: bool) -> None:
    if tracked:
        merge("CREATE STREAM CHANGES ON TABLE T")
    merge("INSERT INTO S VALUES (1, 'a', FALSE), (1, 'b', FALSE)")
    with pytest.raises(WarehouseError) as error:
        merge("MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED THEN UPDATE SET NAME = S.NAME")
    assert (error.value.errno, error.value.sqlstate) == (100090, "42P18")
    assert error.value.message == 'Duplicate row detected during DML action\nRow Values: [1, "one"]'
    assert rows(merge) == [(1, "one"), (2, "two")]


@pytest.mark.fact(23)
def test_a_match_that_no_clause_takes_is_no_duplicate(merge: Query) -> None:
    merge("INSERT INTO S VALUES (1, 'a', FALSE), (1, 'b', TRUE)")
    merge("MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED AND S.GONE THEN UPDATE SET NAME = S.NAME")
    assert rows(merge) == [(1, "b"), (2, "two")]


@pytest.mark.fact(23)
def test_not_matched_inserts_one_row_for_each_source_row(merge: Query) -> None:
    merge("INSERT INTO S VALUES (3, 'a', FALSE), (3, 'a', FALSE)")
    result = merge("MERGE INTO T USING S ON T.ID = S.ID WHEN NOT MATCHED THEN INSERT VALUES (S.ID, S.NAME)")
    assert result == [{"number of rows inserted": 2}]
    assert rows(merge)[2:] == [(3, "a"), (3, "a")]


@pytest.mark.fact(23)
def test_the_first_clause_that_holds_is_taken(merge: Query) -> None:
    merge("INSERT INTO S VALUES (1, 'a', TRUE), (2, 'b', TRUE)")
    merge(
        "MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED AND S.ID = 1 THEN UPDATE SET NAME = 'first' "
        "WHEN MATCHED AND S.GONE THEN DELETE WHEN MATCHED THEN UPDATE SET NAME = 'last'"
    )
    assert rows(merge) == [(1, "first")]


@pytest.mark.fact(23)
def test_a_clause_without_a_condition_must_be_the_last_of_its_kind(merge: Query) -> None:
    with pytest.raises(WarehouseError, match="unreachable"):
        merge(
            "MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED THEN DELETE "
            "WHEN MATCHED AND S.GONE THEN UPDATE SET NAME = ''"
        )


def test_on_may_speak_of_the_source_alone(merge: Query) -> None:
    """Snowpark writes such conditions: a row that fails them is not matched."""
    merge("INSERT INTO S VALUES (1, 'a', TRUE), (2, 'b', FALSE)")
    merge(
        "MERGE INTO T USING S ON T.ID = S.ID AND S.GONE AND T.NAME <> 'x' "
        "WHEN MATCHED THEN UPDATE SET T.NAME = S.NAME WHEN NOT MATCHED THEN INSERT (ID) VALUES (S.ID + 10)"
    )
    assert merge("SELECT ID, NAME FROM T ORDER BY ID") == [
        {"ID": 1, "NAME": "a"},
        {"ID": 2, "NAME": "two"},
        {"ID": 12, "NAME": None},
    ]


def test_a_source_may_be_a_query_with_the_target_in_it(merge: Query) -> None:
    merge(
        "MERGE INTO T USING (SELECT ID + 1 AS ID, MAX(NAME) AS NAME FROM T GROUP BY ID) AS S "
        "ON T.ID = S.ID WHEN MATCHED THEN UPDATE SET NAME = S.NAME "
        "WHEN NOT MATCHED THEN INSERT (NAME, ID) VALUES (S.NAME, S.ID)"
    )
    assert rows(merge) == [(1, "one"), (2, "one"), (3, "two")]


def test_the_merge_that_snowpark_writes(merge: Query) -> None:
    """Snowpark aliases neither side and quotes everything."""
    merge("INSERT INTO S VALUES (1, 'a', FALSE), (3, 'c', FALSE)")
    merge(
        'MERGE INTO T USING (SELECT "ID" AS "R_ID", "NAME" AS "R_NAME" FROM S) ON ("ID" = "R_ID") '
        'WHEN MATCHED THEN UPDATE SET "NAME" = "R_NAME" '
        'WHEN NOT MATCHED THEN INSERT ("ID", "NAME") VALUES ("R_ID", "R_NAME")'
    )
    assert rows(merge) == [(1, "a"), (2, "two"), (3, "c")]


def test_a_column_may_be_called_at(query: Query) -> None:
    query("CREATE TABLE M (AT INT, ASOF INT)")
    merged = (
        "MERGE INTO M USING (SELECT 1 AS AT, {} AS ASOF) S ON M.AT = S.AT "
        "WHEN MATCHED THEN UPDATE SET ASOF = S.ASOF "
        "WHEN NOT MATCHED THEN INSERT (AT, ASOF) VALUES (S.AT, S.ASOF)"
    )
    query(merged.format(2))
    query(merged.format(3))
    assert query("SELECT AT, ASOF FROM M") == [{"AT": 1, "ASOF": 3}]
