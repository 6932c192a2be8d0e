"""What is accepted for nothing stands in one list, and the page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snowcellar.no_ops import NO_OPS, NoOp
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of

PAGE = Path(__file__).parents[2] / "docs" / "snowcellar.md"


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    run = rows_of(warehouse.open_session())
    for statement in ("CREATE DATABASE CELLAR_DB", "CREATE TABLE T (A INT)", "CREATE WAREHOUSE W"):
        run(statement)
    run("INSERT INTO T VALUES (1), (1)")
    yield run
    warehouse.close()


@pytest.mark.parametrize("no_op", NO_OPS, ids=lambda no_op: no_op.what)
def test_it_is_accepted_and_the_data_stays(query: Query, no_op: NoOp) -> None:
    query(no_op.example)
    assert query("SELECT * FROM T") == [{"A": 1}, {"A": 1}]
    assert [row["name"] for row in query("DESCRIBE TABLE T")] == ["A"]


def test_the_page_shows_the_list() -> None:
    rows = "".join(f"| {no_op.what} | {no_op.reason} |\n" for no_op in NO_OPS)
    assert f"| accepted | and does nothing, because |\n| --- | --- |\n{rows}" in PAGE.read_text(
        encoding="utf-8"
    )
