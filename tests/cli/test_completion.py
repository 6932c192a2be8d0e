"""Completion by a real bash, and by the protocol that the scripts for zsh and fish speak."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Caves

BIN = Path(sys.executable).parent
# As bash does when Tab is pressed: the words so far, and which of them is being typed.
PRESS_TAB = """
eval "$(caves completion bash)"
COMP_WORDS=({words}) COMP_CWORD={index} COMP_LINE="{words}"
_caves_completion caves
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "SNOWFLAKE_HOME": str(folder), "HOME": str(folder)}


def press_tab(folder: Path, *words: str) -> list[str]:
    script = PRESS_TAB.format(words=" ".join(f"'{word}'" for word in words), index=len(words) - 1)
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment(folder),
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connections.toml").write_text("[prod]\naccount = 'a'\n[preview]\naccount = 'b'\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        (("caves", "ver"), ["verify"]),
        (("caves", "rejected", "dis"), ["dismiss"]),
        (("caves", "status", "--data"), ["--database"]),
        (("caves", "status", "-c", "pr"), ["prod", "preview"]),
        (("caves", "ingest", "--on-offset-reset", ""), ["fail", "earliest", "latest"]),
        (("caves", "rejected", "list", "--reason", "NOT_"), ["NOT_JSON_OBJECT"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bash_completes(folder: Path, words: tuple[str, ...], suggested: list[str]) -> None:
    assert press_tab(folder, *words) == suggested


def test_a_connection_file_that_is_broken_suggests_nothing(folder: Path) -> None:
    (folder / "connections.toml").write_text("[prod\n")
    assert press_tab(folder, "caves", "status", "-c", "pr") == []


@pytest.mark.parametrize(
    ("shell", "words", "answer"),
    [
        ("zsh", {"COMP_WORDS": "caves ver", "COMP_CWORD": "1"}, "plain\nverify\nCheck the seven invariants"),
        (
            "fish",
            {"COMP_WORDS": "caves ver", "COMP_CWORD": "ver"},
            "plain,verify\tCheck the seven invariants",
        ),
    ],
)
def test_zsh_and_fish_are_answered_in_their_form(
    folder: Path, shell: str, words: dict[str, str], answer: str
) -> None:
    done = subprocess.run(
        [BIN / "caves"],
        capture_output=True,
        text=True,
        check=True,
        env={**environment(folder), **words, "_CAVES_COMPLETE": f"{shell}_complete"},
    )
    assert done.stdout.startswith(answer)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed_alone(caves: Caves, shell: str) -> None:
    outcome = caves("completion", shell)
    assert outcome.code == 0
    assert outcome.err == ""
    assert f"_CAVES_COMPLETE={shell}_complete" in outcome.out


def test_another_shell_is_a_usage_error(caves: Caves) -> None:
    assert caves("completion", "tcsh").code == 2
