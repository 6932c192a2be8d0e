"""Each check of `caves doctor` in its failing state, with the way to mend it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest

from caves_cli import processes, state
from caves_cli.doctor import examination, kafka, machine, programs, python, set_up
from caves_cli.doctor.finding import Finding, Verdict, ok
from caves_cli.fingerprint import fingerprint
from caves_cli.kafka_logs import KafkaLog
from caves_cli.processes import Process
from caves_cli.state import State, StateFolder
from tests.cli.conftest import Caves

REQUIRES = ["duckdb==2.0.0", "rich>=14", "pytest>=9; extra == 'dev'"]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def assert_problem(finding: Finding, *words: str) -> None:
    assert finding.verdict is Verdict.PROBLEM
    assert finding.mend
    for word in words:
        assert word in f"{finding.found} / {finding.mend}"


def assert_warning(finding: Finding, *words: str) -> None:
    assert finding.verdict is Verdict.WARNING
    assert finding.mend
    for word in words:
        assert word in f"{finding.found} / {finding.mend}"


def test_an_old_python_is_a_problem() -> None:
    assert_problem(python.python_version((3, 10, 4)), "3.10.4", "make install PYTHON=")
    assert python.python_version((3, 13, 0)).verdict is Verdict.OK


def test_a_package_that_is_required_exactly_must_be_that() -> None:
    pinned = {"duckdb": "2.0.0", "rich": "14.0.0"}
    compared = python.compared
    assert_problem(compared(pinned, {"duckdb": "2.1.0", "rich": "14.0.0"}, REQUIRES[:2]), "duckdb 2.1.0")
    assert_warning(compared(pinned, {"duckdb": "2.0.0", "rich": "14.1.0"}, REQUIRES[:2]), "rich 14.1.0")
    assert_problem(compared(pinned, {"duckdb": "2.0.0"}, REQUIRES[:2]), "not installed: rich", "make install")
    assert compared(pinned, {"duckdb": "2.0.0", "rich": "14.0.0"}, REQUIRES[:2]).verdict is Verdict.OK


def test_the_packages_of_this_environment_are_as_pinned(tmp_path: Path) -> None:
    assert python.packages(Path(__file__).parents[2]).verdict is Verdict.OK
    assert python.packages(tmp_path).verdict is Verdict.SKIPPED


def test_a_missing_or_silent_snow_cli_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert_problem(programs.snow(), "not on the PATH", "make install")
    (tmp_path / "snow").write_text("#!/bin/sh\necho broken\n")
    (tmp_path / "snow").chmod(0o755)
    assert_problem(programs.snow(), "does not tell its version: broken")


def test_a_program_that_hangs_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snow").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "snow").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(programs, "_PATIENCE_SECONDS", 0.1)
    assert_problem(programs.snow(), "no answer")


def test_java_and_its_friends_may_be_absent_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")
    assert_warning(programs.java(), "11 is too old", "17 or later")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_PLAYWRIGHT", tmp_path)
    absent = [programs.java(), programs.maven(), programs.browser()]
    assert {finding.verdict for finding in absent} == {Verdict.SKIPPED}


def test_streamlit_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert_warning(programs.streamlit(), "caves dashboard", "make install")


def test_a_full_disk_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, check in ((50_000_000, assert_problem), (500_000_000, assert_warning)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(10**12, 0, free))
        check(machine.disk(tmp_path / "not" / "yet"), f"{free // 1_000_000} MB free at {tmp_path}")


def test_a_port_that_is_taken_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert_warning(machine.dashboard_port(listener.getsockname()[1]), "taken", "--port")

    def refuse(*_: object) -> None:
        raise OSError("cannot assign requested address")

    monkeypatch.setattr("socket.socket.bind", refuse)
    assert_problem(machine.loopback(), "cannot assign")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A process that works on the folder, as the local warehouse does; it does not listen."""
    script = "import time; time.sleep(60)"
    command = [sys.executable, "-c", script, "snowcellar", "--db", str(tmp_path / "warehouse.db")]
    with subprocess.Popen(command) as process:
        yield Process("warehouse", process.pid, processes.start_time(process.pid) or "", 1)
        process.kill()


def test_processes_that_are_gone_deaf_or_unknown_are_seen(tmp_path: Path, sleeper: Process) -> None:
    folder = StateFolder(tmp_path)
    assert set_up.processes_of(folder).verdict is Verdict.OK
    state.save(folder, State((Process("broker", sleeper.pid, "long ago", 9),)))
    assert_warning(set_up.processes_of(folder), "gone", f"broker (pid {sleeper.pid})", "caves down")
    state.save(folder, State((sleeper,)))
    assert_problem(set_up.processes_of(folder), "not listening", "warehouse on port 1")
    folder.state_file.write_text("{")
    assert_problem(set_up.processes_of(folder), "cannot be read", f"rm {folder.state_file}")


def test_a_process_that_no_state_file_knows_is_seen(tmp_path: Path, sleeper: Process) -> None:
    assert_warning(set_up.leftovers(tmp_path, set()), f"kill {sleeper.pid}")
    assert set_up.leftovers(tmp_path, {sleeper.pid}).verdict is Verdict.OK
    assert set_up.leftovers(tmp_path / "other", set()).verdict is Verdict.OK


def test_a_connection_file_that_others_can_read_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[connections.local]\naccount = "a"\npassword = "p"\n')
    file.chmod(0o644)
    assert_problem(set_up.connection_file("local", file), "mode 0644", f"chmod 600 {file}")
    file.write_text('[connections.local]\naccount = "a"\n')
    assert_warning(set_up.connection_file("local", file), "mode 0644", f"chmod 600 {file}")
    file.chmod(0o600)
    assert set_up.connection_file("local", file).verdict is Verdict.OK


def test_a_missing_connection_and_a_broken_file_are_problems(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert_problem(set_up.connection_file("local", file), "no such file")
    file.write_text("[connections.other]\n")
    assert_problem(set_up.connection_file("local", file), "'local'", "caves up")
    assert_problem(set_up.connection_file("prod", file), "'prod'", "snow connection add")


def test_a_broker_that_is_not_named_is_left_out_and_one_that_is_silent_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [each.verdict for each in kafka.checks(None, "t", "prod", [])] == [Verdict.SKIPPED]
    monkeypatch.setattr("ingest.topics.METADATA_TIMEOUT_SECONDS", 0.1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    for connection, mend in (("local", "caves up"), ("prod", f"nc -vz {address}")):
        (finding,) = kafka.checks(address, "t", connection, [])
        assert_problem(finding, address, mend)


@pytest.mark.parametrize(
    "log",
    [KafkaLog(100, 200, 50), KafkaLog(0, 10, 50), KafkaLog(0, 10, 10, answered=False)],
    ids=["deleted", "past the end", "silent"],
)
def test_an_offset_outside_its_log_is_a_problem(log: KafkaLog) -> None:
    assert_problem(kafka.stored_offsets({3: log}, "t", "caves ingest"), "partition 3", "--on-offset-reset")
    assert kafka.stored_offsets({0: KafkaLog(0, 10, 4)}, "t", "x").found.endswith("6 messages behind")


def test_a_group_that_fails_or_hangs_is_a_finding_and_no_more() -> None:
    hold = threading.Event()

    def hanging() -> Iterator[Finding]:
        yield ok("first", "fine")
        hold.wait(60)

    first, silent = examination.within(0.2, "Login", hanging)
    hold.set()
    assert first == ok("first", "fine")
    assert_problem(silent, "no answer within 0.2 s")
    (failed,) = examination.within(5, "Disk", _broken)
    assert_problem(failed, "KeyError", "x")


def _broken() -> list[Finding]:
    raise KeyError("x")


def test_a_server_that_accepts_and_never_answers_does_not_hold_the_doctor_up(
    caves: Caves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "GROUP_SECONDS", 1.0)
    monkeypatch.setattr(programs, "checks", list)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        (tmp_path / ".caves").mkdir()
        file = tmp_path / ".caves" / "config.toml"
        file.write_text(
            '[connections.local]\naccount = "a"\nuser = "u"\npassword = "p"\nhost = "127.0.0.1"\n'
            f'port = {deaf.getsockname()[1]}\nprotocol = "http"\n'
        )
        file.chmod(0o600)
        outcome = caves("doctor", "--json")
    assert outcome.code == 1
    found = {each["check"]: each for each in json.loads(outcome.out)["checks"]}
    assert found["Login"]["verdict"] == "problem"
    assert "no answer within 1 s" in found["Login"]["found"]


def test_in_an_empty_folder_it_says_to_begin_and_ends_with_1(
    caves: Caves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(programs, "checks", list)
    monkeypatch.setattr("caves_cli.commands.doctor.console.out.width", 80)
    outcome = caves("doctor")
    assert outcome.code == 1
    assert "mend: caves up" in outcome.out
    assert "1 problem, no warnings." in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_fingerprint_is_of_content_and_place_and_of_nothing_else(tmp_path: Path) -> None:
    def written(name: str, text: str) -> Path:
        root = tmp_path / name
        (root / "procedures").mkdir(parents=True, exist_ok=True)
        (root / "procedures" / "a.py").write_text(text)
        return root

    first, same, other = written("1", "x = 1"), written("2", "x = 1"), written("3", "x = 2")
    os.utime(same / "procedures" / "a.py", (0, 0))
    (same / "README.md").write_text("not sent")
    assert fingerprint(first) == fingerprint(same) != fingerprint(other)
    (same / "procedures" / "a.py").rename(same / "procedures" / "b.py")
    assert fingerprint(first) != fingerprint(same)
