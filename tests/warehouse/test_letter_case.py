"""Names in quotes keep the case of their letters; what DuckDB cannot tell apart is refused."""

from __future__ import annotations

import pytest

from snowcellar.errors import Unsupported, WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    """One session beside an empty table N (A)."""
    shared_query("CREATE TABLE N (A INT)")
    return shared_query


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE "n" (A INT)',
        'CREATE OR REPLACE TABLE "n" (A INT)',
        'CREATE TABLE IF NOT EXISTS "n" (A INT)',
        'CREATE OR REPLACE VIEW "n" AS SELECT 1 AS A',
        'CREATE TEMPORARY TABLE TWO ("A" INT, "a" INT)',
        'CREATE TABLE TWO AS SELECT 1 AS A, 2 AS "a"',
        'SELECT "a" FROM (SELECT 1 AS A, 2 AS "a")',
        'WITH W AS (SELECT 1 AS A, 2 AS "a") SELECT A FROM W',
        'CREATE SCHEMA "public"',
        'ALTER TABLE OTHER RENAME TO "n"',
    ],
)
def test_a_name_beside_one_in_other_letters_is_refused(query: Query, statement: str) -> None:
    query("CREATE OR REPLACE TABLE OTHER (A INT)")
    with pytest.raises(Unsupported, match=r'"([an]|public)" beside "([AN]|PUBLIC)"'):
        query(statement)
    assert [row["name"] for row in query("SHOW TABLES")] == ["N", "OTHER"]


def test_a_table_is_not_found_by_its_name_in_other_letters(query: Query) -> None:
    for statement in (
        'SELECT * FROM "n"',
        'INSERT INTO "n" (A) VALUES (1)',
        'DROP TABLE "n"',
        'DESC TABLE "n"',
    ):
        with pytest.raises(WarehouseError, match="'n' does not exist or not authorized") as error:
            query(statement)
        assert error.value.errno == 2003
    assert query('SELECT 1 AS A, 2 AS "a"') == [{"A": 1, "a": 2}]
