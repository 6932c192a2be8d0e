"""The real `snow` CLI deploys, runs, lists and drops procedures (SEMANTICS, what the CLI sends)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.warehouse.conftest import Server
from tests.warehouse.snow_cli import SnowCli, snow_cli

_PROJECT = """
definition_version: 2
entities:
  pour:
    type: procedure
    identifier: {name: POUR, schema: OPS, database: CELLAR}
    handler: handlers.pour
    signature:
      - {name: wine, type: string}
      - {name: glasses, type: int, default: 2}
    returns: variant
    runtime: "3.11"
    stage: CELLAR.OPS.CODE_STAGE
    artifacts:
      - {src: lib/wines/*.py, dest: app/}
      - {src: app/*.py, dest: app/}
"""
_HANDLER = """
from wines.text import toast

def pour(session, wine, glasses):
    return {"text": toast(wine), "glasses": glasses, "schema": session.get_current_schema()}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one procedure and one library module."""
    root = tmp_path / "project"
    for path, text in {
        "snowflake.yml": _PROJECT,
        "requirements.snowflake.txt": "snowflake-snowpark-python\n",
        "requirements.txt": "# nothing that Snowflake does not have\n",
        "lib/wines/__init__.py": "",
        "lib/wines/text.py": "def toast(wine): return f'santé, {wine}'\n",
        "app/handlers.py": _HANDLER,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def snow(server: Server, project: Path, tmp_path: Path) -> SnowCli:
    """The snow CLI in the project's folder."""
    return snow_cli(server, project, tmp_path, warehouse="COMPUTE_WH")


def test_snow_deploys_runs_redeploys_and_drops_a_procedure(
    server: Server, snow: SnowCli, project: Path
) -> None:
    session = server.warehouse.open_session()
    session.execute("CREATE DATABASE CELLAR")
    session.execute("CREATE SCHEMA OPS")

    snow("snowpark", "build")
    assert "created" in snow("snowpark", "deploy").stdout
    poured = snow("snowpark", "execute", "procedure", "CELLAR.OPS.POUR('Gamay')", "--format", "json").stdout
    assert json.loads(json.loads(poured)["POUR"]) == {"text": "santé, Gamay", "glasses": 2, "schema": '"OPS"'}

    (project / "lib/wines/text.py").write_text(
        "def toast(wine): return f'à la tienne, {wine}'\n", encoding="utf-8"
    )
    snow("snowpark", "build")
    assert "packages updated" in snow("snowpark", "deploy", "--replace").stdout
    assert (
        "à la tienne, Gamay" in snow("snowpark", "execute", "procedure", "CELLAR.OPS.POUR('Gamay', 1)").stdout
    )

    (listed,) = json.loads(snow("snowpark", "list", "procedure", "--format", "json").stdout)
    assert listed["arguments"] == "POUR(VARCHAR, DEFAULT NUMBER) RETURN VARIANT"
    described = snow(
        "snowpark", "describe", "procedure", "CELLAR.OPS.POUR(string, int)", "--format", "json"
    ).stdout
    assert {row["property"]: row["value"] for row in json.loads(described)}["handler"] == "handlers.pour"

    snow("snowpark", "drop", "procedure", "CELLAR.OPS.POUR(string, int)")
    snow("snowpark", "execute", "procedure", "CELLAR.OPS.POUR('Gamay')", fails=True)


def test_snow_without_a_requirements_file_for_snowpark_cannot_deploy(
    server: Server, snow: SnowCli, project: Path
) -> None:
    session = server.warehouse.open_session()
    session.execute("CREATE DATABASE CELLAR")
    session.execute("CREATE SCHEMA OPS")
    (project / "requirements.snowflake.txt").unlink()
    snow("snowpark", "build")
    failed = snow("snowpark", "deploy", fails=True)
    assert "snowflake-snowpark-python" in failed.stdout + failed.stderr
