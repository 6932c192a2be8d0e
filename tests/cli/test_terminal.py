"""Strangers' text on a terminal: seen as it is written, and obeyed by neither terminal nor markup."""

import pytest

from caves_cli import console
from caves_cli.terminal import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Château Margaux 1er cru, 12,50 €", "Château Margaux 1er cru, 12,50 €"),
        ("\x1b[2J\x07\x9b31m\x7f", r"\x1b[2J\x07\x9b31m\x7f"),
        ("a\rb\nc\td", r"a\x0db\x0ac\x09d"),
        ("\u202egnp.exe\u200b", r"\u202egnp.exe\u200b"),
        ("\U000e0041 \ud800", r"\U000e0041 \ud800"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_markup_in_a_cell_or_an_error_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("T", ("a",), [("\\[bold]x[/] :skull: [link=http://a]b[/link]",)])
    console.fail("no [red]topic[/] \\[b]\x1b[0m")
    captured = capsys.readouterr()
    assert "\\[bold]x[/] :skull: [link=http://a]b[/link]" in captured.out
    assert captured.err == "Error: no [red]topic[/] \\[b]\\x1b[0m\n"


def test_no_color_leaves_out_every_escape_code_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    for value, has_codes in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", value)
        made = console.new_console(stderr=False)
        with made.capture() as written:
            made.print(console.grid("T", ("a",), [("b",)]))
        assert ("\x1b" in written.get()) is has_codes


def test_a_table_without_rows_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("Worked off", ("when", "who"), [])
    assert capsys.readouterr().out == "Worked off: none\n\n"


def test_a_long_title_is_not_broken_to_the_width_of_a_narrow_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.table("A title much longer than its table", ("n",), [(1,), (2,)])
    assert capsys.readouterr().out.splitlines()[0] == "A title much longer than its table"
