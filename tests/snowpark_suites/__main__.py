"""Snowpark's own integration tests against snowcellar, or against Snowpark local testing.

    python -m tests.snowpark_suites CHECKOUT --out FOLDER [--local] [--only NAME] [-k ... of pytest]

CHECKOUT is one of snowflakedb/snowpark-python, at the version that is installed; it is read, not changed.
FOLDER gets one junit file and one log a suite; the last lines say how many tests passed, of those that ran.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import typer

from snowcellar.local_server import LocalServer

HERE = Path(__file__).parent
DATABASE = "SUITES"
SUITES = {
    "DataFrame": [
        "test_dataframe",
        "test_df_aggregate",
        "test_df_sort",
        "scala/test_dataframe_suite",
        "scala/test_dataframe_aggregate_suite",
        "scala/test_dataframe_join_suite",
        "scala/test_dataframe_range_suite",
        "scala/test_dataframe_set_operations_suite",
        "scala/test_dataframe_writer_suite",
    ],
    "table": ["scala/test_table_suite"],
    "window": ["scala/test_window_spec_suite", "scala/test_window_frame_suite"],
    "merge": ["scala/test_update_delete_merge_suite"],
    "procedure": ["test_stored_procedure"],
}
"""Those that need no account objects, by what they are about."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.snowpark_suites")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--local", action="store_true", help="Snowpark local testing instead of snowcellar")
    parser.add_argument("--only", choices=SUITES, action="append", help="these suites alone")
    said, arguments = parser.parse_known_args()
    said.out.mkdir(parents=True, exist_ok=True)
    counts = {}
    for suite in said.only or SUITES:
        with tempfile.TemporaryDirectory() as folder:
            server = nullcontext() if said.local else LocalServer(Path(folder), "--log-level", "info")
            with server as running:
                report = said.out.resolve() / f"{'local' if said.local else 'snowcellar'}-{suite}.xml"
                connection = prepared(running) if running else {"schema": "PUBLIC", "database": DATABASE}
                run(said.checkout, SUITES[suite], report, connection, arguments, local=said.local)
                if running:
                    report.with_suffix(".server.log").write_text(running.log.read_text())
        counts[suite] = count(report)
    for suite, (passed, ran) in counts.items():
        typer.echo(f"{suite:10} {passed:5} of {ran:5} {passed / max(ran, 1):6.1%}")
    passed, ran = (sum(column) for column in zip(*counts.values(), strict=True))
    typer.echo(f"{'all':10} {passed:5} of {ran:5} {passed / max(ran, 1):6.1%}")


def prepared(server: LocalServer) -> dict[str, Any]:
    """What the tests expect of an account: a database, a schema and a warehouse."""
    connection = server.connect()
    for statement in (f"CREATE DATABASE {DATABASE}", "CREATE WAREHOUSE COMPUTE_WH"):
        connection.cursor().execute(statement)
    connection.close()
    return {**server.parameters, "database": DATABASE, "schema": "PUBLIC", "role": "ACCOUNTADMIN"}


def run(
    checkout: Path,
    files: list[str],
    report: Path,
    connection: dict[str, Any],
    arguments: list[str],
    *,
    local: bool,
) -> None:
    """One pytest over the files of a suite."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "--import-mode=prepend"),
        *("-p", "suites_connection", "-p", "no:cacheprovider", "-p", "no:snowcellar"),
        *("--timeout", "120", "--tb=short", f"--junitxml={report}", "-W", "ignore"),
        *(["--local_testing_mode"] if local else []),
        *arguments,
        *(f"tests/integ/{file}.py" for file in files),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        "SUITES_CONNECTION": json.dumps(connection),
    }
    with report.with_suffix(".log").open("w") as log:
        subprocess.run(command, cwd=checkout, env=environment, stdout=log, stderr=log, check=False)
    if not report.exists():
        raise SystemExit(f"pytest came to no end: {report.with_suffix('.log')}")


def count(report: Path) -> tuple[int, int]:
    """How many passed, and how many ran: a test that was skipped did not."""
    passed = ran = 0
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        ran += "skipped" not in kinds
        passed += not kinds & {"skipped", "failure", "error"}
    return passed, ran


if __name__ == "__main__":
    main()
