"""Bars are for people at a terminal: they go when the work is done, and never reach a pipe."""

import io

import pytest
from rich.console import Console

from caves_cli import console
from caves_cli.bars import bar


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)


def test_without_a_terminal_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("Sending", total=10) as shown:
        shown.at(5)
        shown.one_more("Still sending")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_counts_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    err = terminal()
    monkeypatch.setattr(console, "err", err)
    with bar("Checking", total=7, begun=-1) as shown:
        shown.one_more("Money is exact")
        shown.at(3)
    assert isinstance(err.file, io.StringIO)
    drawn = err.file.getvalue()
    assert "Money is exact" in drawn
    assert "3/7" in drawn
    assert drawn.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")


def test_what_goes_to_a_pipe_is_not_sent_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "err", terminal())
    with bar("Looking"):
        console.out.print("found")
    assert capsys.readouterr().out == "found\n"
