"""`caves doctor` on a deployed pipeline: well, and with one thing after the other broken and put back."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli import main
from caves_cli.doctor import programs
from caves_cli.fingerprint import fingerprint
from caves_snowpark import names
from ingest.topics import create_topic
from ingest.truth import Truth
from tests.pipeline.conftest import ROOT, Pipeline

Doctor = Callable[..., tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def doctor(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """`caves doctor --json ARGUMENTS`: its exit code and findings. The programs are looked at elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAVES_CONFIG_FILE", str(pipeline.folder.config_file))
    monkeypatch.setenv("CAVES_BOOTSTRAP", pipeline.state.bootstrap or "")
    monkeypatch.setattr(programs, "checks", list)

    def run(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
        monkeypatch.setattr(sys, "argv", ["caves", "doctor", "--json", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        document = json.loads(capsys.readouterr().out)
        return int(str(ended.value.code or 0)), {each["check"]: each for each in document["checks"]}

    return run


@contextmanager
def done_and_undone(session: SnowflakeConnection, do: str, undo: str) -> Iterator[None]:
    with session.cursor() as cursor:
        cursor.execute(do)
        try:
            yield
        finally:
            cursor.execute(undo)


def test_a_healthy_pipeline_has_no_problem(doctor: Doctor, truth: Truth) -> None:
    code, found = doctor()
    wrong = [each for each in found.values() if each["verdict"] == "problem"]
    assert (code, wrong) == (0, [])
    assert fingerprint(ROOT) in found["Deployed code"]["found"]
    for check in ("Login", "Warehouse", "Database", "Deployed objects", "Deployed code", "Tasks", "Alerts"):
        assert found[check]["verdict"] == "ok", check
    for check in ("Broker", "Topic", "Stored offsets"):
        assert found[check]["verdict"] == "ok", check


@pytest.mark.parametrize(
    ("do", "undo", "check", "told"),
    [
        (
            f"ALTER TASK {names.ROOT_TASK} SUSPEND",
            f"ALTER TASK {names.ROOT_TASK} RESUME",
            "Tasks",
            "suspended: TASK_RAW_TO_STAGING_DISTRIBUTOR",
        ),
        (
            f"ALTER ALERT {names.ALERT_LOW_STOCK} SUSPEND",
            f"ALTER ALERT {names.ALERT_LOW_STOCK} RESUME",
            "Alerts",
            "suspended: ALERT_LOW_STOCK",
        ),
        (
            f"ALTER TABLE {names.DEPLOYMENTS} RENAME TO OPS.ELSEWHERE",
            f"ALTER TABLE OPS.ELSEWHERE RENAME TO {names.DEPLOYMENTS}",
            "Deployed objects",
            "not there for role ACCOUNTADMIN: OPS.DEPLOYMENTS",
        ),
    ],
    ids=["task", "alert", "object"],
)
def test_what_stands_still_or_is_missing_is_a_problem(
    doctor: Doctor, session: SnowflakeConnection, truth: Truth, do: str, undo: str, check: str, told: str
) -> None:
    with done_and_undone(session, do, undo):
        code, found = doctor()
    assert code == 1
    assert (found[check]["verdict"], found[check]["found"]) == ("problem", told)
    assert found[check]["mend"] == "caves deploy -c local"


def test_other_code_than_that_at_hand_is_a_warning(
    doctor: Doctor, session: SnowflakeConnection, truth: Truth
) -> None:
    later = f"INSERT INTO {names.DEPLOYMENTS} SELECT 'older', DATEADD('DAY', 1, SYSDATE()), 'SOMEBODY'"
    with done_and_undone(session, later, f"DELETE FROM {names.DEPLOYMENTS} WHERE CODE = 'older'"):
        code, found = doctor()
    assert code == 0
    assert found["Deployed code"]["verdict"] == "warning"
    assert f"the code here is {fingerprint(ROOT)}" in found["Deployed code"]["found"]


def test_a_database_and_a_warehouse_that_are_not_there_are_problems(doctor: Doctor) -> None:
    code, found = doctor("--database", "NOWHERE_DB", "--warehouse", "NOBODY_WH")
    assert code == 1
    assert "NOWHERE_DB" in found["Database"]["found"]
    assert "NOBODY_WH" in found["Warehouse"]["found"]
    assert "Deployed objects" not in found


def test_a_topic_that_is_not_there_is_a_warning(doctor: Doctor) -> None:
    code, found = doctor("--topic", "nobody_made_it")
    assert (code, found["Topic"]["verdict"]) == (0, "warning")
    assert "caves produce" in found["Topic"]["mend"]


def test_an_offset_past_the_end_of_its_log_is_a_problem(
    doctor: Doctor, pipeline: Pipeline, session: SnowflakeConnection
) -> None:
    create_topic(pipeline.state.bootstrap or "", "made_anew", partitions=1)
    stored = (
        f"INSERT INTO {names.KAFKA_OFFSETS} (TOPIC, PARTITION, NEXT_OFFSET, FIRST_OFFSET, UPDATED_AT)"
        " SELECT 'made_anew', 0, 50, 0, SYSDATE()"
    )
    with done_and_undone(session, stored, f"DELETE FROM {names.KAFKA_OFFSETS} WHERE TOPIC = 'made_anew'"):
        code, found = doctor("--topic", "made_anew")
    assert code == 1
    assert "partition 0 has 0 to 0, the warehouse asks for 50" in found["Stored offsets"]["found"]
