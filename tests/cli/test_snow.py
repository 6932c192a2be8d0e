"""The snow CLI in a session of several commands answers as it does when it is started for each."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from caves_cli import snow, snow_host
from caves_cli.errors import SnowEnded

# What it says of itself, and what the next command must not see.
HOSTED = """
import os, sys
from caves_cli import snow_host

def main():
    wines = sorted(name for name in os.environ if name.startswith("WINE_"))
    print(os.getcwd(), *wines, *sys.argv)
    print("santé", repr(sys.stdin.read()), file=sys.stderr)
    os.environ["WINE_LEFT"] = "1"
    sys.argv.append("left")
    return len(wines)

snow_host.serve(main, sys.stdin, sys.stdout)
"""


@pytest.fixture(scope="module")
def run() -> Iterator[snow.Run]:
    with snow.session(config_file=True) as opened:
        yield opened


@pytest.mark.parametrize("words", ["--version", "connection test -c nobody", "sql --wrong"])
def test_an_answer_is_that_of_a_command_of_its_own(run: snow.Run, tmp_path: Path, words: str) -> None:
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    given = ("--config-file", str(config), *words.split())
    answer = run(given, folder=tmp_path, environment={})
    assert answer == snow.run(given, folder=tmp_path, environment={})
    assert (answer.code == 0) == (words == "--version")
    assert answer.output or answer.errors


def test_a_command_has_its_folder_and_its_environment_and_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    asked = [
        {
            "arguments": ["sql"],
            "folder": str(tmp_path),
            "environment": {"WINE_A": "1", "WINE_B": "1"},
        },
        {"arguments": [], "folder": "/", "environment": {"WINE_C": "1"}},
    ]
    done = subprocess.run(
        [sys.executable, "-c", HOSTED],
        input="".join(f"{json.dumps(request)}\n" for request in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        [2, f"{tmp_path} WINE_A WINE_B snow sql\n", "santé ''\n"],
        [1, "/ WINE_C snow\n", "santé ''\n"],
    ]


def children() -> set[int]:
    listed = Path("/proc/self/task").glob("*/children")
    return {int(pid) for path in listed for pid in path.read_text(encoding="utf-8").split()}


def test_a_session_whose_process_was_killed_says_which_command_had_no_answer() -> None:
    before = children()
    with snow.session(config_file=True) as run:
        (host,) = children() - before
        os.kill(host, signal.SIGKILL)
        with pytest.raises(SnowEnded, match=r"snow sql -f two\.sql"):
            run(("sql", "-f", "two.sql"), folder=Path(), environment={})


@pytest.mark.parametrize("missing", ["fork", "entry point"])
def test_where_it_cannot_be_forked_each_command_is_started(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "fork":
        monkeypatch.setattr(sys, "platform", "darwin")
    else:
        monkeypatch.setattr(snow_host, "entry_point", lambda: None)
    with snow.session(config_file=True) as run:
        assert run is snow.run
