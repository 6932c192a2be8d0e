"""MERGE: several source rows that match one target row."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture
def merge(query: Query) -> Query:
    """T with (1, 'one') and (2, 'two'); S with two rows for 1 and one for 3."""
    query("CREATE TABLE T (ID INT, NAME VARCHAR)")
    query("INSERT INTO T VALUES (1, 'one'), (2, 'two')")
    query("CREATE TABLE S (ID INT, NAME VARCHAR, GONE BOOLEAN)")
    query("INSERT INTO S VALUES (1, 'a', TRUE), (1, 'b', TRUE), (3, 'c', FALSE)")
    return query


def rows(query: Query) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in query("SELECT ID, NAME FROM T"))


@pytest.mark.fact(23)
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize(
    "source", ["S", "S AS X", "(SELECT * FROM S) AS X", "(SELECT ID AS R, GONE, NAME AS N FROM S)"]
)
def test_several_rows_may_delete_one(merge: Query, source: str, tracked: bool) -> None:
    if tracked:
        merge("CREATE STREAM NET ON TABLE T")
    alias = "X." if source.endswith("X") else "S." if source == "S" else ""
    key, name = ("R", "N") if not alias else (f"{alias}ID", f"{alias}NAME")
    assert merge(
        f"MERGE INTO T USING {source} ON T.ID = {key} WHEN MATCHED AND {alias}GONE THEN DELETE "
        f"WHEN MATCHED THEN UPDATE SET NAME = {name} WHEN NOT MATCHED THEN INSERT VALUES ({key}, {name})"
    ) == [{"number of rows inserted": 1, "number of rows updated": 0, "number of rows deleted": 1}]
    assert rows(merge) == [(2, "two"), (3, "c")]
    if tracked:
        assert {row["METADATA$ACTION"] for row in merge("SELECT * FROM NET")} == {"DELETE", "INSERT"}


@pytest.mark.fact(23)
@pytest.mark.parametrize("other", ["WHEN MATCHED THEN UPDATE SET NAME = S.NAME", ""])
def test_a_row_updated_and_deleted_is_an_error(merge: Query, other: str) -> None:
    merge("UPDATE S SET GONE = FALSE WHERE NAME = 'b'")
    statement = f"MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED AND S.GONE THEN DELETE {other}"
    if not other:
        assert merge(statement) == [{"number of rows deleted": 1}]
        return
    with pytest.raises(WarehouseError) as error:
        merge(statement)
    assert error.value.errno == 100090
    assert rows(merge) == [(1, "one"), (2, "two")]


@pytest.mark.fact(23)
def test_one_of_several_rows_is_taken_where_errors_are_switched_off(merge: Query) -> None:
    statement = (
        "MERGE INTO T USING S ON T.ID = S.ID WHEN MATCHED THEN UPDATE SET NAME = S.NAME "
        "WHEN NOT MATCHED THEN INSERT VALUES (S.ID, S.NAME)"
    )
    with pytest.raises(WarehouseError, match="Duplicate row detected"):
        merge(statement)
    merge("ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_MERGE = FALSE")
    merge(statement)
    (one, two, three) = rows(merge)
    assert one[1] in ("a", "b")
    assert (two, three) == ((2, "two"), (3, "c"))
    merge("ALTER SESSION UNSET ERROR_ON_NONDETERMINISTIC_MERGE")
    with pytest.raises(WarehouseError, match="Duplicate row detected"):
        merge(statement)
