"""The pytest plugin, in a project that knows nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.warehouse.conftest import eventually

PROJECT = """
import subprocess, sys

def test_a_session_has_a_database_of_its_own(snowcellar_session):
    frame = snowcellar_session.create_dataframe([[1, "Gamay"]], schema=["ID", "GRAPE"])
    frame.write.save_as_table("WINES")
    assert snowcellar_session.table("WINES").collect() == [(1, "Gamay")]
    assert snowcellar_session.get_current_schema() == '"PUBLIC"'

def test_the_next_test_sees_nothing_of_it(snowcellar_session, snowcellar_connection, snowcellar_database):
    assert snowcellar_connection.cursor().execute("SHOW TABLES").fetchall() == []
    assert snowcellar_session.get_current_database() == f'"{snowcellar_database}"'

def test_the_snow_cli_gets_in(snowcellar_config, snowcellar_database):
    program = [sys.executable, "-c", "from snowflake.cli._app.__main__ import main; main()"]
    arguments = ["--config-file", str(snowcellar_config), "sql", "-c", "local", "-q", "SHOW DATABASES"]
    told = subprocess.run([*program, *arguments], capture_output=True, text=True)
    assert snowcellar_database in told.stdout, told

def test_the_minute_is_short(snowcellar_server):
    assert "0.5" in snowcellar_server.process.args
    print("pid", snowcellar_server.process.pid)
"""


def ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] in ("", "Z")


def test_a_project_tests_itself_with_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_project.py").write_text(PROJECT)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsnowcellar_minute = 0.5\n")
    # By name, so that it is this one, whatever was installed; the entry point is looked at below.
    plugins = ["-p", "no:cacheprovider", "-p", "snowcellar.pytest_plugin", "-s"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SNOWFLAKE_HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in told.stdout, told.stdout + told.stderr
    assert ended(int(told.stdout.partition("pid ")[2].split()[0]))


def test_pytest_finds_the_plugin_once_it_is_installed() -> None:
    (found,) = [each for each in entry_points(group="pytest11") if each.name == "snowcellar"]
    assert found.value == "snowcellar.pytest_plugin"


def test_a_server_ends_with_whoever_started_it(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib\n"
        "from snowcellar.local_server import LocalServer\n"
        "print(LocalServer(pathlib.Path(sys.argv[1])).process.pid, flush=True)\n"
        "os._exit(9)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 9, told.stderr
    eventually(lambda: ended(int(told.stdout)), "the server has ended")
