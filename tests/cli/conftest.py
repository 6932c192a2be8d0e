"""The command as a person runs it: arguments in, exit code and both outputs out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from caves_cli import main


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    code: int
    out: str
    err: str


Caves = Callable[..., Outcome]


@pytest.fixture
def caves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """`caves ARGUMENTS` in an empty folder, by somebody who has no Snowflake files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path / "home"))
    for name in ("CAVES_CONFIG_FILE", "CAVES_CONNECTION", "CAVES_BOOTSTRAP", "CAVES_TOPIC", "CAVES_DATABASE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["caves", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
