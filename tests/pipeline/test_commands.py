"""The commands on a running pipeline, as a person types them."""

import json
import stat
import subprocess
import sys
from pathlib import Path

from ingest.truth import Truth
from tests.pipeline.conftest import Pipeline


def caves(pipeline: Pipeline, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`caves ARGUMENTS` in the folder where `caves up` would have been typed."""
    return subprocess.run(
        [Path(sys.executable).parent / "caves", *arguments, "--config-file", pipeline.folder.config_file],
        cwd=pipeline.folder.path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_connection_file_is_its_owners_only(pipeline: Pipeline) -> None:
    assert stat.S_IMODE(pipeline.folder.config_file.stat().st_mode) == 0o600


def test_status_as_json_shows_every_layer(pipeline: Pipeline, truth: Truth) -> None:
    done = caves(pipeline, "status", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["rows"]["raw"] >= truth.events_produced
    assert document["rows"].keys() >= {"stg_orders", "rejected", "duplicates", "orders", "inventory_current"}
    assert len(document["waiting"]) == len(document["tasks"]) == 4
    assert {task["state"] for task in document["tasks"]} == {"started"}
    for alert in document["alerts"]:
        assert alert.keys() == {"alert", "subject", "severity", "fired"}


def test_verify_as_json_names_the_seven_invariants(pipeline: Pipeline, truth: Truth) -> None:
    done = caves(pipeline, "verify", "--json")
    assert done.returncode == 0, done.stderr
    assert [verdict["holds"] for verdict in json.loads(done.stdout).values()] == [True] * 7


def test_verify_exits_1_and_names_the_row_that_is_wrong(pipeline: Pipeline, truth: Truth) -> None:
    with pipeline.target.open() as session, session.cursor() as cursor:
        cursor.execute("SELECT MIN(ORDER_ID) FROM PRODUCTION.ORDERS")
        ((order,),) = cursor.fetchall()
        change = "UPDATE PRODUCTION.ORDERS SET TOTAL_AMOUNT = TOTAL_AMOUNT %s 0.01 WHERE ORDER_ID = %%s"
        cursor.execute(change % "+", (order,))
        try:
            done = caves(pipeline, "verify")
        finally:
            cursor.execute(change % "-", (order,))
    assert done.returncode == 1
    assert f"6. {order} is " in done.stdout
    assert "Traceback" not in done.stderr
