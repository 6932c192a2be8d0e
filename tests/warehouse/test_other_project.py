"""A Snowpark project of another shape, in other_project/, is deployed with the real `snow` CLI, and works.

A standard stream with updates and deletes, a function and a procedure with arguments from one library, a
triggered graph with a child and a finalizer.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.conftest import Server, eventually

PROJECT = Path(__file__).with_name("other_project")

Snow = Callable[..., str]


@pytest.fixture
def snow(server: Server, tmp_path: Path) -> Snow:
    """Run the snow CLI in a copy of the project, with the served warehouse as its only connection."""
    project = tmp_path / "library"
    shutil.copytree(PROJECT, project)
    config = tmp_path / "config.toml"
    settings = {
        "account": "local",
        "user": "LOCAL",
        "password": server.warehouse.password,
        "host": server.host,
        "port": server.port,
        "protocol": "http",
        "warehouse": "DESK_WH",
    }
    lines = ["[connections.desk]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    config.write_text("\n".join([*lines, "[cli.features]", "enable_snowpark_glob_support = true", ""]))
    config.chmod(0o600)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("snow")),
                *("--config-file", str(config), *arguments, "--connection", "desk"),
            ],
            cwd=project,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SNOWFLAKE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.fact(1, 3, 12, 17, 19)
def test_a_library_lends_and_fines(server: Server, snow: Snow) -> None:
    snow("sql", "-f", "tables.sql")
    snow("snowpark", "build")
    deployed = snow("snowpark", "deploy")
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
