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
