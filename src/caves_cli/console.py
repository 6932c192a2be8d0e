"""The one place that writes to the terminal: results to stdout, progress and errors to stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from caves_cli.errors import CannotWrite
from caves_cli.terminal import visible

# A pipe or a log has no width; tables there are as wide as they need.
_WIDTH_WITHOUT_TERMINAL: Final = 160

out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str) -> None:
    """An error in one or two lines; never a traceback."""
    err.print(Text.assemble(("Error:", "bold red"), " ", visible(message, keep="\n")))


def note(message: str) -> None:
    """Progress; on stderr, so that stdout stays clean for --json and pipes."""
    err.print(message)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A titled table; numbers to the right."""
    grid = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    body = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(body) and all(isinstance(row[index], int | float | Decimal | None) for row in body)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        grid.add_row(*[_cell(value) for value in row])
    out.print(grid)


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
    return Text(visible(str(value), keep="\n"))
