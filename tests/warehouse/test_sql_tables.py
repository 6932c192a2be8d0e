"""Statements that make, fill and change tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """One session for all tests of this module, which make the tables that they use."""
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    run = rows_of(warehouse.open_session())
    run("CREATE DATABASE CELLAR_DB")
    yield run
    warehouse.close()


def values(query: Query, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(statement)]


@pytest.mark.parametrize(
    "how",
    [
        "TEMPORARY TABLE",
        "TEMP TABLE",
        "TRANSIENT TABLE",
        "TABLE (A NUMBER(9, 0), B VARCHAR(10))",
        "TABLE COMMENT = 'wine'",
    ],
)
def test_a_table_is_made_from_a_query_in_every_form(query: Query, how: str) -> None:
    kind, _, columns = how.partition("(")
    kind, _, comment = kind.partition(" COMMENT")
    rest = f"({columns}" if columns else f"COMMENT{comment}" if comment else ""
    for _ in range(2):
        query(f"CREATE OR REPLACE {kind} MADE {rest} AS SELECT 1 AS A, 'x' AS B")
        assert query("SELECT * FROM MADE") == [{"A": 1, "B": "x"}]
    query("DROP TABLE MADE")


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("count(*), sum(a), a + 1, upper(b)", ["COUNT(*)", "SUM(A)", "A + 1", "UPPER(B)"]),
        ("a, x.b, 1, 'Gamay', max(a) as top", ["A", "B", "1", "'GAMAY'", "TOP"]),
        ("distinct a is distinct from 1, count(distinct b)", ["A IS DISTINCT FROM 1", "COUNT(DISTINCT B)"]),
    ],
)
def test_a_column_without_a_name_is_called_by_its_text(query: Query, select: str, names: list[str]) -> None:
    given = "(select 1 as a, 'x' as b) as x group by all"
    for statement in (
        f"select {select} from {given}",
        f"with y as (select count(*) from {given}) select {select} from {given}",
        f"select {select} from {given} union all select {select} from {given}",
    ):
        assert list(query(statement)[0]) == names


@pytest.fixture
def racks(query: Query) -> Query:
    """Two empty tables of bottles and one that is the source."""
    for name in ("REDS", "WHITES"):
        query(f"CREATE OR REPLACE TABLE {name} (WINE VARCHAR, BOTTLES INT DEFAULT 7)")
    query("CREATE OR REPLACE TABLE CRATES (WINE VARCHAR, N INT)")
    query("INSERT INTO CRATES VALUES ('Gamay', 1), ('Viognier', 2), ('Syrah', NULL)")
    return query


def test_insert_all_writes_every_row_into_every_table(racks: Query) -> None:
    assert racks("INSERT ALL INTO REDS INTO WHITES (WINE, BOTTLES) VALUES (W, DEFAULT) "
                 "SELECT WINE AS W, N FROM CRATES") == [
        {"number of rows inserted into REDS": 3, "number of rows inserted into WHITES": 3}
    ]  # fmt: skip
    assert values(racks, "SELECT SUM(BOTTLES) FROM REDS") == [(3,)]
    assert values(racks, "SELECT SUM(BOTTLES) FROM WHITES") == [(21,)]


@pytest.mark.parametrize(("how", "reds", "whites"), [("ALL", ["Viognier"], ["Gamay", "Viognier"]),
                                                      ("FIRST", ["Viognier"], ["Gamay"])])  # fmt: skip
def test_insert_with_conditions_chooses(racks: Query, how: str, reds: list[str], whites: list[str]) -> None:
    statement = f"""INSERT {how} WHEN N > 1 THEN INTO REDS WHEN N > 0 THEN INTO WHITES
                    ELSE INTO REDS (WINE) VALUES ('other') SELECT WINE, N FROM CRATES"""
    racks(statement)
    assert sorted(row[0] for row in values(racks, "SELECT WINE FROM REDS")) == [*reds, "other"]
    assert sorted(row[0] for row in values(racks, "SELECT WINE FROM WHITES")) == whites
    racks(statement.replace("INSERT", "INSERT OVERWRITE"))
    assert len(values(racks, "SELECT * FROM REDS")) == 2


def test_a_multi_table_insert_is_all_or_nothing_and_consumes_its_stream(racks: Query) -> None:
    racks("CREATE OR REPLACE STREAM S ON TABLE CRATES")
    racks("INSERT INTO CRATES VALUES ('Gamay', 5)")
    racks("CREATE OR REPLACE TABLE STRICT (WINE VARCHAR, N INT NOT NULL)")
    with pytest.raises(WarehouseError, match="NULL result in a non-nullable column"):
        racks("INSERT ALL INTO REDS INTO STRICT VALUES (WINE, NULL) SELECT WINE, N FROM S")
    assert values(racks, "SELECT * FROM REDS") == []
    racks("INSERT ALL INTO REDS INTO STRICT SELECT WINE, N FROM S")
    assert values(racks, "SELECT * FROM STRICT") == [("Gamay", 5)]
    assert values(racks, "SELECT COUNT(*) FROM S") == [(0,)]


def test_insert_overwrite_replaces_what_it_may_even_read(racks: Query) -> None:
    racks("CREATE OR REPLACE STREAM S ON TABLE CRATES")
    assert racks(
        "INSERT OVERWRITE INTO CRATES (WINE, N) SELECT WINE, N + 1 FROM CRATES WHERE N > ?", [1]
    ) == [{"number of rows inserted": 1}]
    assert values(racks, "SELECT * FROM CRATES") == [("Viognier", 3)]
    racks("INSERT OVERWRITE INTO CRATES VALUES ('Gamay', 9)")
    assert values(racks, "SELECT WINE, METADATA$ACTION FROM S ORDER BY 2, 1") == [
        ("Gamay", "DELETE"), ("Syrah", "DELETE"), ("Viognier", "DELETE"), ("Gamay", "INSERT")
    ]  # fmt: skip
