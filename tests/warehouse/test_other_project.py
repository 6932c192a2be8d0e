"""A Snowpark project of another shape, in other_project/, is deployed with the real `snow` CLI, and works.

A standard stream with updates and deletes, a function and a procedure with arguments from one library, a
triggered graph with a child and a finalizer.
"""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.conftest import Server, eventually
from tests.warehouse.snow_cli import SnowCli, snow_cli

PROJECT = Path(__file__).with_name("other_project")


@pytest.fixture
def snow(server: Server, tmp_path: Path) -> SnowCli:
    """The snow CLI in a copy of the project."""
    project = tmp_path / "library"
    shutil.copytree(PROJECT, project)
    return snow_cli(server, project, tmp_path, warehouse="DESK_WH")


@pytest.mark.fact(1, 3, 12, 17, 19)
def test_a_library_lends_and_fines(server: Server, snow: SnowCli) -> None:
    snow("sql", "-f", "tables.sql")
    snow("snowpark", "build")
    deployed = snow("snowpark", "deploy").stdout
    assert "LATE_FINE" in deployed
    assert "SETTLE_LOANS" in deployed
    snow("sql", "-f", "tasks.sql")

    with server.connect(database="LIBRARY", schema="LENDING") as connection:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return list(connection.cursor().execute(sql).fetchall())

        def settled(times: int) -> None:
            closed = "SELECT COUNT(*) FROM JOURNAL WHERE WHAT = 'closed' AND DETAIL = 'SETTLE'"
            eventually(lambda: rows(closed) == [(times,)], f"the books are closed {times} times")

        assert rows("SELECT LATE_FINE(3, 0.25), LATE_FINE(0, 0.25), LATE_FINE(1000, 1)") == [
            (Decimal("0.75"), None, Decimal("20.00"))
        ]
        rows(
            "INSERT INTO LOANS VALUES (1, 'Ada', '2026-03-21', NULL), (2, 'Ben', '2026-04-30', NULL), "
            "(3, 'Cleo', '2025-01-01', NULL)"
        )
        settled(1)
        assert rows("SELECT * FROM FINES ORDER BY 1") == [
            (1, "Ada", Decimal("5.00")),
            (3, "Cleo", Decimal("20.00")),
        ]
        connection.cursor().execute("BEGIN")
        rows("UPDATE LOANS SET RETURNED_ON = '2026-03-23' WHERE LOAN_ID = 1")
        rows("DELETE FROM LOANS WHERE LOAN_ID = 3")
        rows("INSERT INTO LOANS VALUES (4, 'Dan', '2026-03-30', NULL)")
        connection.cursor().execute("COMMIT")
        settled(2)
        assert rows("SELECT * FROM FINES ORDER BY 1") == [
            (1, "Ada", Decimal("1.00")),
            (4, "Dan", Decimal("0.50")),
        ]
        assert rows("SELECT DETAIL FROM JOURNAL WHERE WHAT = 'total' ORDER BY WRITTEN_AT") == [
            ("25.00",),
            ("1.50",),
        ]
        assert rows("SELECT * FROM LOAN_CHANGES") == []
        runs = rows(
            "SELECT NAME, STATE, SCHEDULED_FROM, COUNT(*) FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) "
            "GROUP BY ALL ORDER BY NAME"
        )
        assert runs == [(name, "SUCCEEDED", "TRIGGER", 2) for name in ("CLOSE_BOOKS", "SETTLE", "TOTAL")]
        returned = rows("CALL SETTLE_LOANS('2026-04-01'::DATE, daily_rate => 2)")
        assert json.loads(returned[0][0]) == {"made": 0, "changed": 0, "lifted": 0}
