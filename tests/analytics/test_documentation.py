"""docs/analytics.md against deploy/ and analytics/."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from caves_snowpark import names
from tests.analytics import reference
from tests.analytics.conftest import Warehouse
from tests.engines.engine import DATABASE


def test_the_page_says_what_the_sql_says() -> None:
    """To mend it: python -m tests.analytics.reference."""
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == reference.rendered(page)


def test_every_view_and_every_column_of_it_is_explained() -> None:
    assert set(reference.views()) == set(names.VIEWS)
    for view, (comment, columns) in reference.views().items():
        assert "Grain: " in comment, view
        assert columns, view
        assert all(columns.values()), view


@pytest.mark.parametrize("view", names.VIEWS)
def test_the_columns_explained_are_those_that_are_there(warehouse: Warehouse, view: str) -> None:
    assert warehouse.full.columns(view) == list(reference.views()[view][1])


def test_every_view_keeps_its_grants_when_it_is_replaced() -> None:
    for path in (reference.ROOT / "deploy").glob("[0-9]*.sql"):
        text = path.read_text(encoding="utf-8")
        assert text.count("CREATE OR REPLACE VIEW ") == text.count("\nCOPY GRANTS\n"), path.name


def test_the_comments_are_in_the_warehouse(warehouse: Warehouse) -> None:
    found = {
        (f"{schema}.{table}", column): comment
        for schema, table, column, comment in warehouse.query(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COMMENT FROM INFORMATION_SCHEMA.COLUMNS"
            " WHERE TABLE_SCHEMA = 'ANALYTICS'"
        )
    }
    assert found == {
        (view, column): comment
        for view, (_, columns) in reference.views().items()
        for column, comment in columns.items()
    }


def test_a_question_can_be_asked_as_the_page_says(warehouse: Warehouse) -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    [command] = re.findall(r"^snow .+$", page, re.MULTILINE)
    words = command.replace(".caves/config.toml", str(warehouse.config)).split()
    words[words.index("CAVES_ALBERT_DB")] = DATABASE
    snow = Path(sys.executable).parent / words[0]
    done = subprocess.run([snow, *words[1:]], cwd=reference.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SALES_MONTH" in done.stdout
    assert "2025-06-01" in done.stdout


def test_the_links_lead_to_files() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", reference.PAGE.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (reference.PAGE.parent / link).is_file(), link
