"""The `snow` CLI: SQL from everywhere, stages and their files, objects (Snowpark: test_procedures_deploy)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.conftest import Server
from tests.warehouse.snow_cli import snow_cli

# Each command starts a Python of its own: a minute in all.
pytestmark = pytest.mark.exhaustive

Snow = Callable[..., Any]


@pytest.fixture
def snow(shared_server: Server, tmp_path: Path) -> Snow:
    """Run the CLI in a folder of its own, in a fresh database; its answer as JSON."""
    session = shared_server.warehouse.open_session()
    session.execute("DROP DATABASE IF EXISTS SNOWED")
    session.execute("CREATE DATABASE SNOWED")
    cli = snow_cli(shared_server, tmp_path, tmp_path, database="SNOWED", schema="PUBLIC")

    def run(*arguments: str, stdin: str | None = None) -> Any:
        answer = cli(*arguments, "--format", "json", stdin=stdin).stdout
        return json.loads(answer) if answer.startswith(("[", "{")) else answer

    return run


def test_sql_comes_from_the_command_line_a_file_and_stdin(snow: Snow, tmp_path: Path) -> None:
    asked = ("select 1 as A; select <% x %> as B", "-D", "x=5", "--enable-templating", "ALL")
    assert snow("sql", "-q", *asked) == [[{"A": 1}], [{"B": 5}]]
    (tmp_path / "t.sql").write_text(
        "CREATE TABLE T (A INT, B VARCHAR);\n-- one; row\nINSERT INTO T VALUES (1, 'a;b');\n",
        encoding="utf-8",
    )
    made, inserted = snow("sql", "-f", str(tmp_path / "t.sql"))
    assert (made, inserted) == (
        [{"status": "Table T successfully created."}],
        [{"number of rows inserted": 1}],
    )
    assert snow("sql", "-i", stdin="SELECT * FROM T") == [{"A": 1, "B": "a;b"}]


def test_files_are_copied_to_a_stage_listed_executed_and_copied_back(snow: Snow, tmp_path: Path) -> None:
    (tmp_path / "scripts" / "more").mkdir(parents=True)
    (tmp_path / "scripts" / "make.sql").write_text(
        "CREATE TABLE T (A INT);\nBEGIN\n  INSERT INTO T VALUES (1);\nEND;\n", encoding="utf-8"
    )
    (tmp_path / "scripts" / "more" / "b.csv").write_text("1\n", encoding="utf-8")
    snow("stage", "create", "FILES")
    snow("stage", "copy", str(tmp_path / "scripts"), "@FILES/in", "--recursive")
    assert sorted(row["name"] for row in snow("stage", "list-files", "@FILES")) == [
        "files/in/make.sql", "files/in/more/b.csv"
    ]  # fmt: skip
    snow("stage", "execute", "@FILES/in/make.sql")
    snow("stage", "copy", "@FILES/in", str(tmp_path / "back"), "--recursive")
    assert sorted(file.name for file in (tmp_path / "back").rglob("*.*")) == ["b.csv", "make.sql"]
    assert [row["property"] for row in snow("stage", "describe", "FILES")] == ["TYPE"]
    snow("stage", "remove", "FILES", "in/more/b.csv")
    assert snow("sql", "-q", "SELECT COUNT(*) AS N FROM T") == [{"N": 1}]


def test_objects_are_listed_described_and_dropped(snow: Snow) -> None:
    snow("sql", "-q", "CREATE TABLE WINES (ID INT COMMENT 'the key'); CREATE VIEW V AS SELECT ID FROM WINES")
    assert [row["name"] for row in snow("object", "list", "table")] == ["WINES"]
    assert [row["name"] for row in snow("object", "list", "view", "--like", "v%")] == ["V"]
    described = snow("object", "describe", "table", "WINES")
    assert [(row["name"], row["comment"]) for row in described] == [("ID", "the key")]
    snow("object", "drop", "view", "V")
    assert snow("object", "list", "view") == []
