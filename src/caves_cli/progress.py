"""What a demo shows while it runs: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from caves_cli import console

_PLAIN_EVERY_SECONDS: Final = 2.0


class Progress:
    """The stages so far with their seconds, and the latest counts of every layer."""

    def __init__(self, target: int) -> None:
        self.seconds: dict[str, float] = {}
        self._target = target
        self._stage: tuple[str, str, float] | None = None
        self._counts: Mapping[str, int] = {}
        self._waiting: Mapping[str, int] = {}
        self._printed = 0.0
        self._live = Live(console=console.err, refresh_per_second=8) if console.err.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()
        if self._live is not None:
            self._live.stop()

    def stage(self, name: str, title: str) -> None:
        """The next stage begins; the one before is done."""
        self.finish()
        self._stage = (name, title, time.monotonic())
        if self._live is None:
            console.note(f"{title} ...")
        self._refresh()

    def detail(self, text: str) -> None:
        """What the current stage is at."""
        if self._live is None:
            console.note(f"  {text}")
        elif self._stage is not None:
            self._stage = (self._stage[0], text, self._stage[2])
            self._refresh()

    def so_far(self, text: str) -> None:
        """As `detail`, for what changes many times a second: nothing of it goes to a log."""
        if self._live is not None:
            self.detail(text)

    def finish(self) -> None:
        """The current stage is done."""
        if self._stage is not None:
            name, _, started = self._stage
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started
            self._stage = None
            self._refresh()

    def counts(self, counts: Mapping[str, int], waiting: Mapping[str, int]) -> None:
        """The layers as they are now."""
        changed = counts != self._counts
        self._counts, self._waiting = dict(counts), dict(waiting)
        if self._live is not None:
            self._refresh()
        elif changed and time.monotonic() - self._printed > _PLAIN_EVERY_SECONDS:
            self._printed = time.monotonic()
            line = "  ".join(f"{name} {count:,}" for name, count in counts.items())
            console.note(f"  {line}  waiting {sum(waiting.values()):,}")

    def _refresh(self) -> None:
        if self._live is None:
            return
        done = [Text(f"  {name} {spent:.1f} s", style="green") for name, spent in self.seconds.items()]
        now = [Spinner("dots", text=self._stage[1] + " ...")] if self._stage else []
        self._live.update(Group(*done, *now, *([self._layers()] if self._counts else [])))

    def _layers(self) -> Table:
        grid = Table(box=None, padding=(0, 2))
        for column in ("layer", "rows", ""):
            grid.add_column(column, justify="right" if column == "rows" else "left")
        for name, count in self._counts.items():
            share = min(1.0, count / self._target) if self._target else 0.0
            grid.add_row(name, f"{count:,}", "█" * round(30 * share))
        grid.add_row("waiting in streams", f"{sum(self._waiting.values()):,}", "")
        return grid
