"""The one place that writes to the terminal: results to stdout, progress and errors to stderr."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from caves_cli.errors import CannotWrite
from caves_cli.terminal import visible

# A pipe or a log has no width; tables there are as wide as they need.
_WIDTH_WITHOUT_TERMINAL: Final = 160


def new_console(*, stderr: bool) -> Console:
    """A console for one of the two streams, as the environment is now."""
    stream = sys.stderr if stderr else sys.stdout
    has_width = stream.isatty() or "COLUMNS" in os.environ
    # https://no-color.org, taken at its word by more people than its letter: no escape codes at all.
    colours: Final = None if os.environ.get("NO_COLOR") else "auto"
    return Console(
        stderr=stderr,
        highlight=False,
        color_system=colours,
        width=None if has_width else _WIDTH_WITHOUT_TERMINAL,
        # A message is one line in a log, and filled to the width for a person.
        soft_wrap=stderr and not stream.isatty(),
    )


out = new_console(stderr=False)
err = new_console(stderr=True)


def heading(text: str) -> str:
    """The text as it stands over a part of the help: bold on a terminal, bare elsewhere."""
    return click.style(text, bold=True) if out.is_terminal and out.color_system else text


def fail(message: str) -> None:
    """An error in one or two lines; never a traceback."""
    err.print(Text.assemble(("Error:", "bold red"), " ", visible(message, keep="\n")))


def note(message: str) -> None:
    """Progress; on stderr, so that stdout stays clean for --json and pipes."""
    err.print(message)


def command(line: str) -> None:
    """A command line that is run; never broken, so that it can be copied."""
    err.print(Text(f"$ {line}", style="dim"), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "none") -> None:
    """A titled table; numbers to the right. Without a row, one line that says so."""
    body = [list(row) for row in rows]
    out.print(grid(title, columns, body) if body else Text.assemble((title, "bold"), f": {empty}"))
    out.print()


def grid(title: str, columns: Sequence[str], body: Sequence[Sequence[object]]) -> RenderableType:
    """The table itself, to be shown alone or among others."""
    drawn = Table(header_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in body)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        drawn.add_row(*[_cell(value) for value in row])
    return Group(Text(title, "bold"), drawn)


def require_writable(target: str) -> None:
    """Refuse a file that cannot be written, before the work whose outcome it is to hold."""
    try:
        with Path(target).open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise CannotWrite(target, error.strerror or str(error)) from error


def write_json(document: Mapping[str, Any], target: str) -> None:
    """JSON to a file, or to stdout for `-`."""
    text = json.dumps(document, indent=2, default=str, ensure_ascii=False)
    if target == "-":
        out.file.write(text + "\n")
    else:
        Path(target).write_text(text + "\n", encoding="utf-8")


def _cell(value: object) -> str | Text:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value.astimezone() if value.tzinfo else value:%Y-%m-%d %H:%M:%S}"
    # Rich reads [brackets] as markup in a str; what comes from data is text, and not all of it is harmless.
    return value if isinstance(value, Text) else Text(visible(str(value), keep="\n"))
