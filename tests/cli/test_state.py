"""`.caves` after a crash, and pids that became a stranger's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from caves_cli import local, processes, state
from caves_cli.errors import CavesError
from caves_cli.processes import Process
from caves_cli.state import State, StateFolder
from tests.cli.conftest import Caves


@pytest.fixture
def sleeper() -> Iterator[int]:
    """Somebody's process."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process.pid
        process.kill()


def folder_with(tmp_path: Path, *found: Process, generation: int = 0) -> StateFolder:
    folder = StateFolder(tmp_path / ".caves")
    state.save(folder, State(found, generation=generation))
    return folder


def alive(pid: int) -> bool:
    return processes.start_time(pid) is not None


def test_down_stops_what_was_started(caves: Caves, tmp_path: Path, sleeper: int) -> None:
    folder_with(tmp_path, Process("warehouse", sleeper, processes.start_time(sleeper) or "", 1))
    outcome = caves("down")
    assert outcome.code == 0
    assert f"pid {sleeper}" in outcome.err
    assert not alive(sleeper)


def test_down_does_not_touch_a_stranger_with_the_same_pid(caves: Caves, tmp_path: Path, sleeper: int) -> None:
    folder_with(tmp_path, Process("warehouse", sleeper, "another start time", 1))
    outcome = caves("down")
    assert outcome.code == 0
    assert "Nothing" in outcome.err
    assert alive(sleeper)


def test_down_twice_is_no_error(caves: Caves) -> None:
    assert caves("down").code == 0
    assert caves("down").code == 0


def test_down_removes_the_data_only_when_asked(caves: Caves, tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    caves("down")
    assert folder.path.exists()
    caves("down", "--remove-data")
    assert not folder.path.exists()


def test_a_killed_process_is_seen_as_a_crash(tmp_path: Path, sleeper: int) -> None:
    folder = folder_with(tmp_path, Process("warehouse", sleeper, processes.start_time(sleeper) or "", 1))
    assert not local.crashed(state.load(folder))
    os.kill(sleeper, signal.SIGKILL)
    os.waitpid(sleeper, 0)
    assert local.crashed(state.load(folder))


def test_a_process_that_ignores_the_request_is_ended(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    script = f"{deaf}; print('on', flush=True); time.sleep(60)"
    log = tmp_path / "log"
    stubborn = processes.spawn("stubborn", [sys.executable, "-c", script], log, 0, {})
    while not log.read_text():
        assert stubborn.running
    assert processes.stop(stubborn, seconds=0.2)
    assert not stubborn.running


def test_a_new_broker_over_kept_data_gets_a_topic_of_its_own() -> None:
    first = state.next_generation(State(), has_data=False)
    second = state.next_generation(first, has_data=True)
    third = state.next_generation(second, has_data=True)
    assert [s.topic for s in (first, second, third)] == ["sales_events", "sales_events_2", "sales_events_3"]


def test_a_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = State((Process("broker", 1, "2", 3),), topic="t", generation=4)
    folder = StateFolder(tmp_path)
    state.save(folder, written)
    assert state.load(folder) == written
    assert written.bootstrap == "127.0.0.1:3"


def test_up_after_a_crash_says_so_and_goes_on(
    caves: Caves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_with(tmp_path, Process("warehouse", 1, "long ago", 5))

    def stop_here(*_: object, **__: object) -> State:
        raise CavesError("no further")

    monkeypatch.setattr(local, "start", stop_here)
    outcome = caves("up")
    assert "left by a crash: warehouse (pid 1)" in outcome.err
    assert outcome.code == 1


def test_up_refuses_when_it_is_up(caves: Caves, tmp_path: Path, sleeper: int) -> None:
    folder_with(tmp_path, Process("warehouse", sleeper, processes.start_time(sleeper) or "", 8084))
    outcome = caves("up")
    assert outcome.code == 1
    assert "already running on port 8084" in outcome.err
    assert alive(sleeper)
