"""Help teaches by examples that are true, on any terminal."""

import shlex
from collections.abc import Iterator

import click
import pytest
import typer

from caves_cli import console, main
from caves_cli.help_pages import HelpPage, examples, first_paragraph, visible_commands
from tests.cli.conftest import Caves

_root = typer.main.get_command(main.app)
assert isinstance(_root, click.Group)
ROOT: click.Group = _root


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(ROOT))
EXAMPLES = [(path, line) for path, command in COMMANDS.items() for line in examples(command)]


def parsed(line: str) -> list[str]:
    """The commands that the real parser sees in a line, without running them."""
    return read(line)[0]


def read(line: str) -> tuple[list[str], dict[str, object]]:
    """The same, and the settings of the last of them."""
    words = shlex.split(line, comments=True)
    words = words[: next((i for i, word in enumerate(words) if word in (">", "|")), len(words))]
    command: click.Command = ROOT
    path, rest = [words[0]], words[1:]
    while True:
        context = command.make_context(path[-1], rest)
        if not isinstance(command, click.Group):
            return path, context.params
        left = [*context.protected_args, *context.args]
        name, found, rest = command.resolve_command(context, left)
        assert found is not None
        command = found
        path.append(str(name))


@pytest.mark.parametrize(("path", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_is_understood_by_the_parser(path: tuple[str, ...], line: str) -> None:
    assert parsed(line)[:2] == ["caves", path[0]]


def test_an_example_with_an_option_that_is_not_there_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        parsed("caves demo --evnts 5")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_fits_the_terminal_and_ends_with_0(
    caves: Caves, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    for columns in (80, 60):
        monkeypatch.setenv("COLUMNS", str(columns))
        outcome = caves(*path, "--help")
        assert outcome.code == 0
        assert "\x1b" not in outcome.out
        written = [line.strip() for line in (COMMANDS[path].help or "").splitlines() if line.startswith("  ")]
        filled = [line for line in outcome.out.splitlines() if line.strip() not in written]
        assert [line for line in filled if len(line) > columns] == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_has_examples_of_its_own_command(path: tuple[str, ...]) -> None:
    lines = examples(COMMANDS[path])
    assert lines
    assert all(line.startswith("caves ") for line in lines)
    assert isinstance(COMMANDS[path], HelpPage)
    assert first_paragraph(COMMANDS[path]).endswith(".")


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("caves status --watch", 2.0),
        ("caves status --watch --json", 2.0),
        ("caves status -w 0.5 -c prod", 0.5),
        ("caves status", None),
    ],
)
def test_watch_takes_a_number_or_none(line: str, seconds: float | None) -> None:
    assert read(line)[1]["watch"] == seconds


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        (path, parameter.name)
        for path, command in COMMANDS.items()
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    assert silent == []


def test_the_first_page_names_every_command(caves: Caves) -> None:
    page = caves("--help").out
    assert caves().out == page
    for name, _ in visible_commands(ROOT):
        assert f"\n  {name} " in page


def test_a_mistyped_command_is_guessed(caves: Caves) -> None:
    outcome = caves("statu")
    assert outcome.code == 2
    assert outcome.err == (
        "Error: No such command 'statu'. Did you mean 'status'?\n`caves --help` shows what there is.\n"
    )


def test_a_mistyped_option_is_guessed(caves: Caves) -> None:
    outcome = caves("demo", "--evnts", "5")
    assert outcome.code == 2
    assert outcome.err == (
        "Error: No such option: --evnts. Did you mean --events?\n`caves demo --help` shows what there is.\n"
    )


def test_headings_stand_out_only_where_escape_codes_are_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert console.heading("Usage:") == "Usage:"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(console, "out", console.new_console(stderr=False))
    assert console.heading("Usage:") == "\x1b[1mUsage:\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(console, "out", console.new_console(stderr=False))
    assert console.heading("Usage:") == "Usage:"
