"""Statements that make, fill and change tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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
