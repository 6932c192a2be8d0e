"""docs/snowcellar.md says what is supported: each of its examples runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.conftest import Server

PAGE = Path(__file__).parents[2] / "docs" / "snowcellar.md"
HEAD = "| | supported | for example |\n"
SETTING = (
    "CREATE DATABASE EXAMPLES",
    "CREATE TABLE T (A INT, B VARCHAR, V VARIANT)",
    "INSERT INTO T SELECT 1, 'x', PARSE_JSON('{\"a\": [1, 2]}')",
    "CREATE TABLE U (A INT)",
    "CREATE STAGE FILES",
    "CREATE STAGE SCRIPTS",
)


def examples() -> list[tuple[str, str]]:
    """The rows of the table: what it is, and its example."""
    table = PAGE.read_text(encoding="utf-8").partition(HEAD)[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[1:]]
    return [(row[0], row[2].strip("`") if len(row) == 3 else "") for row in rows]


@pytest.fixture(scope="module")
def connection(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    opened = shared_server.connect()
    folder = tmp_path_factory.mktemp("examples")
    (folder / "rows.csv").write_text("7,seven\n")
    (folder / "two.sql").write_text("INSERT INTO U VALUES (3); DELETE FROM U WHERE A = 3;\n")
    puts = (
        f"PUT file://{folder}/rows.csv @FILES",
        f"PUT file://{folder}/two.sql @SCRIPTS AUTO_COMPRESS = FALSE",
    )
    for statement in (*SETTING, *puts):
        opened.cursor().execute(statement)
    yield opened
    opened.close()


@pytest.mark.parametrize(("subject", "example"), examples(), ids=[subject for subject, _ in examples()])
def test_an_example_of_the_page_runs(connection: Any, subject: str, example: str) -> None:
    assert example, f"give {subject} an example, for this test to run"
    connection.cursor().execute(example)


def test_the_table_is_there() -> None:
    assert len(examples()) > 10
