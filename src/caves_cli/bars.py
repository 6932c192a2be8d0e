"""A bar on stderr while something takes long; nothing at all where stderr is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from caves_cli import console


class Bar:
    """One piece of work, of a known size or not."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def at(self, done: int, total: int | None = None) -> None:
        """So much is done; of so much, where that has changed."""
        self._progress.update(self._task, completed=done, total=total)

    def one_more(self, doing: str) -> None:
        """The next of its parts begins."""
        self._progress.update(self._task, description=doing, advance=1)


@contextmanager
def bar(doing: str, total: int | None = None, begun: int = 0) -> Iterator[Bar]:
    """A bar for the length of a block, or a spinner with a clock where the size is not known."""
    counted: list[ProgressColumn] = [] if total is None else [BarColumn(bar_width=20), MofNCompleteColumn()]
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        *counted,
        TimeElapsedColumn(),
        console=console.err,
        transient=True,
        # Rich would send stdout to stderr, also where stdout is a pipe.
        redirect_stdout=console.out.is_terminal,
    )
    # Never begun, it keeps count and draws nothing; Rich's own `disable` would still write an empty line.
    with progress if console.err.is_terminal else nullcontext():
        yield Bar(progress, progress.add_task(doing, total=total, completed=begun))
