"""What is accepted for nothing stands in one list, and the page shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowcellar.no_ops import NO_OPS, NoOp
from tests.warehouse.conftest import Query

PAGE = Path(__file__).parents[2] / "docs" / "snowcellar.md"


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    """One session beside a table T of two rows and a virtual warehouse W."""
    for statement in ("CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1), (1)", "CREATE WAREHOUSE W"):
        shared_query(statement)
    return shared_query


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
