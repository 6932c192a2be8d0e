"""`caves status --watch` on a real terminal, while its warehouse is killed and comes back."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from caves_cli import local, processes, state
from tests.pipeline.conftest import PATIENCE_SECONDS, Pipeline

CAVES = Path(sys.executable).parent / "caves"
FIRST_LINE = "Open alerts"
TROUBLE = re.compile(r"(No answer|Unreachable) since \d\d:\d\d:\d\d \(\d+ s\)")
CURSOR_UP, SHOW_CURSOR = "\x1b[1A", "\x1b[?25h"


class Terminal:
    """A terminal of 80 columns, and the command that runs on it."""

    def __init__(self, *arguments: str) -> None:
        self.text = ""
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": "80", "LINES": "50", "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [CAVES, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)

    def wait_for(self, holds: Callable[[str], bool]) -> None:
        """Read on until it holds for the latest picture that was drawn to its end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds([*[""] * 2, *self.text.split(FIRST_LINE)][-2]):
            assert time.monotonic() < deadline, self.text[-2_000:]
            if select.select([self._ours], [], [], 1)[0]:
                self.text += os.read(self._ours, 65_536).decode(errors="replace")

    def press_ctrl_c(self) -> int:
        """The exit code that this ends it with. Unread, the terminal would hold the command up."""
        self.process.send_signal(signal.SIGINT)
        # Linux says "input/output error" when the last one who held the other side has gone.
        with suppress(OSError):
            while chunk := os.read(self._ours, 65_536):
                self.text += chunk.decode(errors="replace")
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(pipeline: Pipeline) -> Iterator[Terminal]:
    config = str(pipeline.folder.config_file)
    opened = Terminal("status", "--watch", "1", "--config-file", config)
    yield opened
    opened.close()


def kill_warehouse(pipeline: Pipeline) -> None:
    warehouse = state.load(pipeline.folder).process("warehouse")
    assert warehouse is not None
    os.kill(warehouse.pid, signal.SIGKILL)
    processes.stop(warehouse)


def restart_warehouse(pipeline: Pipeline) -> None:
    current = state.load(pipeline.folder)
    started = local.start_warehouse(pipeline.folder, 1, 0)
    others = [process for process in current.processes if process.name != "warehouse"]
    state.save(pipeline.folder, replace(current, processes=(*others, started)))


def test_a_killed_warehouse_is_told_and_waited_for_and_ctrl_c_ends_it_with_0(
    pipeline: Pipeline, terminal: Terminal
) -> None:
    terminal.wait_for(lambda picture: "Ingest of" in picture)
    kill_warehouse(pipeline)
    try:
        terminal.wait_for(lambda picture: TROUBLE.search(picture) is not None)
    finally:
        restart_warehouse(pipeline)
    terminal.wait_for(lambda picture: TROUBLE.search(picture) is None)
    assert CURSOR_UP in terminal.text
    assert terminal.press_ctrl_c() == 0
    assert SHOW_CURSOR in terminal.text
    assert "Traceback" not in terminal.text


def test_in_a_pipe_each_look_is_a_line_of_json(pipeline: Pipeline) -> None:
    config = str(pipeline.folder.config_file)
    command = [str(CAVES), "status", "--watch", "0.2", "--json", "--config-file", config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0
    assert all(look["ingest"]["topic"] == pipeline.state.topic for look in looks)
    assert looks[0]["at"] <= looks[1]["at"]
