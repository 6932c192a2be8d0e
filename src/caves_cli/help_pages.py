"""Help as plain text that fits the terminal: paragraphs are filled, indented lines stay as written."""

import difflib
import inspect
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, TypeVar

import click
import typer
from typer.core import TyperCommand, TyperGroup

from caves_cli import console

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Formatter(click.HelpFormatter):
    """Click's, with headings that stand out on a terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{console.heading('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        self.write(f"{console.heading(f'{heading}:')}\n")

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        # Typer guards [brackets] from Rich, which does not write this page.
        bare = [(name, text.replace("\\[", "[")) for name, text in rows]
        super().write_dl(bare, min(col_max, self.width // 3), col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


class HelpPage(TyperCommand):
    """A command whose help is written by this module."""

    context_class = _Context

    def format_help_text(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        write_text(self.help, formatter)


class HelpPageWithCommands(TyperGroup):
    """A group of commands whose help is written by this module."""

    context_class = _Context

    def format_help_text(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        write_text(self.help, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if near := difflib.get_close_matches(args[0], self.commands, n=1):
                error.message += f" Did you mean {near[0]!r}?"
            raise

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        for panel, commands in groupby(visible_commands(self), key=_panel):
            with formatter.section(panel):
                formatter.write_dl([(name, first_paragraph(command)) for name, command in commands])


class App(typer.Typer):
    """A group of commands, each with a page of help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            cls=HelpPageWithCommands,
            no_args_is_help=True,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
            **settings,
        )

    def command(self, *arguments: Any, **settings: Any) -> Callable[[_Function], _Function]:
        return super().command(*arguments, **{"cls": HelpPage, **settings})


def visible_commands(group: click.Group) -> list[tuple[str, click.Command]]:
    """The commands of a group that its help lists, those of one panel together."""
    entries = [(name, command) for name, command in group.commands.items() if not command.hidden]
    panels = list(dict.fromkeys(map(_panel, entries)))
    return sorted(entries, key=lambda entry: panels.index(_panel(entry)))


def paragraphs(text: str | None) -> Iterator[tuple[bool, str]]:
    """The text's paragraphs, each with whether it is to stay as it is written."""
    blocks = inspect.cleandoc(text or "").split("\n\n")
    for verbatim, group in groupby(blocks, key=lambda block: block.startswith("  ")):
        if verbatim:
            yield True, "\n".join(group)
        else:
            yield from _parted(group)


def _parted(blocks: Iterator[str]) -> Iterator[tuple[bool, str]]:
    """A heading directly over indented lines is a paragraph of its own."""
    for block in blocks:
        first, _, rest = block.partition("\n")
        if rest.startswith("  "):
            yield False, first
            yield True, rest
        else:
            yield False, " ".join(block.split())


def first_paragraph(command: click.Command) -> str:
    """What a list of commands says of this one."""
    return next((text for _, text in paragraphs(command.help)), "")


def examples(command: click.Command) -> list[str]:
    """The command lines under the heading Examples."""
    found = list(paragraphs(command.help))
    after = [found[index + 1][1] for index, (_, text) in enumerate(found[:-1]) if text == "Examples:"]
    return [line.strip() for block in after for line in block.splitlines()]


def write_text(text: str | None, formatter: click.HelpFormatter) -> None:
    """The text, filled to the width, with what is verbatim close under the line that introduces it."""
    before_is_verbatim = True
    for verbatim, paragraph in paragraphs(text):
        if not verbatim or before_is_verbatim:
            formatter.write_paragraph()
        if verbatim:
            formatter.write("".join(f"{line}\n" for line in paragraph.splitlines()))
        else:
            heading = paragraph.endswith(":") and " " not in paragraph
            formatter.write_text(console.heading(paragraph) if heading else paragraph)
        before_is_verbatim = verbatim


def _panel(entry: tuple[str, click.Command]) -> str:
    return getattr(entry[1], "rich_help_panel", None) or "Commands"
