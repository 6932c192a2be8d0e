"""A view that is drawn again and again, and outlives the warehouse that it looks at.

Looking happens in a thread of its own: while the connector waits for a warehouse that is gone, the clock on
the screen goes on and Ctrl-C is obeyed at once.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import Final, Generic, TypeVar

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from caves_cli import console

Seen = TypeVar("Seen")
_REDRAWN_PER_SECOND: Final = 4
# A look that takes longer than this is told: the warehouse may be gone, or only busy.
_PATIENCE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
# A look takes a fraction of it where the warehouse answers.
_LAST_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Sight(Generic[Seen]):
    """What is known at a time: the latest two looks, and since when none has succeeded."""

    latest: Seen | None = None
    before: Seen | None = None
    begun: datetime | None = None
    lost_since: datetime | None = None
    reason: str = ""

    def found(self, seen: Seen) -> "Sight[Seen]":
        return Sight(seen, self.latest)

    def lost(self, now: datetime, reason: str) -> "Sight[Seen]":
        # It was gone when the look began that now has failed.
        return replace(self, begun=None, lost_since=self.lost_since or self.begun or now, reason=reason)

    def trouble(self, now: datetime) -> str | None:
        """What is wrong with the view, in words."""
        since = self.lost_since or self.begun
        if since is None or (self.lost_since is None and (now - since).total_seconds() < _PATIENCE_SECONDS):
            return None
        word = "Unreachable" if self.lost_since else "No answer"
        gone = (now - since).total_seconds()
        reason = f": {self.reason}" if self.reason else ""
        return f"{word} since {since:%H:%M:%S} ({gone:.0f} s){reason}"


class Watch(Generic[Seen]):
    """Looks every so many seconds until it is stopped; what it cannot look at it waits for."""

    def __init__(self, look: Callable[[], Seen], every_seconds: float) -> None:
        self.sight: Sight[Seen] = Sight()
        self.looked = Event()
        self._look = look
        self._every_seconds = every_seconds
        self._stop = Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def first_look(self) -> None:
        """The first look fails as any command does: a mistyped name is told, not waited for."""
        self.sight = self.sight.found(self._look())
        self.looked.set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> bool:
        """Look no more; False when a look is still on its way."""
        self._stop.set()
        self._thread.join(_LAST_LOOK_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.wait(self._every_seconds):
            self.look_again()

    def look_again(self) -> None:
        """One look more, whatever comes of it."""
        self.sight = replace(self.sight, begun=_now())
        try:
            self.sight = self.sight.found(self._look())
        except Exception as error:
            # A view that lasts for days shows what is wrong, whatever it is, and tries again.
            self.sight = self.sight.lost(_now(), " ".join(str(error).split()) or type(error).__name__)
        self.looked.set()


def watch_live(watch: Watch[Seen], draw: Callable[[Sight[Seen]], RenderableType], stop: Event) -> None:
    """Redraw in place until somebody stops it; the last picture stays on the terminal."""
    with Live(_Drawing(watch, draw), console=console.out, refresh_per_second=_REDRAWN_PER_SECOND):
        # Not stop.wait(): a signal's handler sets the event, and would wait for a lock that is held here.
        while not stop.is_set():
            time.sleep(_POLL_SECONDS)


def watch_in_lines(watch: Watch[Seen], write: Callable[[Sight[Seen]], None], stop: Event) -> None:
    """Write each look below the one before, for a log or a program."""
    while not stop.is_set():
        if watch.looked.wait(timeout=_POLL_SECONDS):
            watch.looked.clear()
            write(watch.sight)


class _Drawing(Generic[Seen]):
    def __init__(self, watch: Watch[Seen], draw: Callable[[Sight[Seen]], RenderableType]) -> None:
        self._watch = watch
        self._draw = draw

    def __rich__(self) -> RenderableType:
        sight = self._watch.sight
        trouble = sight.trouble(_now())
        # Above the picture, whose end a low terminal cuts off.
        head = [Text(trouble, style="bold red"), Text()] if trouble else []
        return Group(*head, self._draw(sight))


def _now() -> datetime:
    return datetime.now().astimezone()
