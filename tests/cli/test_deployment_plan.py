"""What `caves deploy --dry-run` says, and what a deployment refuses to do."""

import socket
from pathlib import Path

import pytest

from caves_cli import deployment_plan, sql_files
from caves_cli.deployment_plan import ALTERED, CREATED, KEPT, REPLACED, RUN, Change, change
from caves_cli.errors import EnvironmentUnknown
from tests.cli.conftest import Caves

ROOT = Path(__file__).parents[2]
EXISTING = {"TABLE": {"OPS.WINES"}, "TASK": {"OPS.PRESS"}, "STREAM": {"OPS.NEWS"}}
COLUMNS = {"OPS.WINES": ["ID", "NAME"]}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE OR ALTER TABLE OPS.WINES (ID INTEGER, NAME VARCHAR)", Change(KEPT, "table OPS.WINES")),
        (
            "CREATE OR ALTER TABLE OPS.WINES (ID INTEGER, NAME VARCHAR, YEAR INTEGER)",
            Change(ALTERED, "table OPS.WINES", "adds YEAR"),
        ),
        ("CREATE OR ALTER TABLE OPS.WINES (ID INTEGER)", Change(ALTERED, "table OPS.WINES", "DROPS NAME")),
        ("create or alter table OPS.OTHERS (ID INTEGER)", Change(CREATED, "table OPS.OTHERS")),
        ("CREATE OR REPLACE TASK OPS.PRESS AS SELECT 1", Change(REPLACED, "task OPS.PRESS")),
        ("CREATE STREAM IF NOT EXISTS OPS.NEWS ON TABLE OPS.WINES", Change(KEPT, "stream OPS.NEWS")),
        ("CREATE FILE FORMAT IF NOT EXISTS OPS.P TYPE = PARQUET", Change(CREATED, "file format OPS.P")),
        ("GRANT SELECT\n ON TABLE A TO ROLE B", Change(RUN, "GRANT SELECT ON TABLE A TO ROLE B")),
    ],
)
def test_a_statement_says_what_it_would_change(statement: str, expected: Change) -> None:
    assert change(statement, EXISTING, COLUMNS) == expected


def test_what_stays_and_what_always_runs_is_only_counted() -> None:
    changes = [Change(KEPT, "a"), Change(RUN, "b"), Change(KEPT, "c"), Change(ALTERED, "table T", "adds X")]
    assert deployment_plan.summary(changes) == [
        "alter    table T: adds X",
        "keep     2 objects as they are",
        "run      1 grants and other statements",
    ]


def test_every_table_of_deploy_tells_its_columns() -> None:
    files = [path.relative_to(ROOT) for path in sorted((ROOT / "deploy").glob("[0-9]*.sql"))]
    tables = [
        statement
        for _, statement in sql_files.statements(ROOT, files, sql_files.defaults(ROOT))
        if statement.startswith("CREATE OR ALTER TABLE")
    ]
    assert len(tables) > 10
    assert all(len(deployment_plan.written_columns(statement)) > 2 for statement in tables)


def test_a_dry_run_prints_every_statement_in_order_and_says_when_it_cannot_look(
    caves: Caves, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    file = tmp_path / "connections.toml"
    file.write_text(f'[prod]\naccount = "a"\nuser = "u"\nhost = "127.0.0.1"\nport = {port}\n')
    outcome = caves("deploy", "-c", "prod", "--config-file", str(file), "--env", "dev", "--dry-run")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith("-- $ CAVES_DATABASE=CAVES_ALBERT_DEV_DB")
    assert "USE ROLE CAVES_DEV_ADMIN;" in lines
    order = [lines.index(f"-- deploy/{name}.sql") for name in ("010_foundation", "070_tasks", "090_resume")]
    assert order == sorted(order)
    assert "    SCHEDULE = '5 MINUTE'" in lines
    assert "ctx.env" not in outcome.out
    assert lines[-1].startswith("-- not known: ")


def test_an_unknown_environment_is_told_with_those_that_there_are() -> None:
    with pytest.raises(EnvironmentUnknown, match=r"no environment 'prd'.*dev, prod, test"):
        sql_files.variables(ROOT, "prd")


def test_the_shell_wins_over_the_environments_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAVES_SCHEDULE", "2 MINUTE")
    chosen = sql_files.variables(ROOT, "dev")
    assert (chosen["CAVES_SCHEDULE"], chosen["CAVES_ROLES"]) == ("2 MINUTE", "CAVES_DEV")
    monkeypatch.delenv("CAVES_SCHEDULE")
    assert sql_files.variables(ROOT) == {}
