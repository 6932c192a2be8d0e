"""When what was started is due: intervals that begin at RESUME, CRON times, and streams looked at in between.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro (SEMANTICS 15, 17, 20).
Alerts keep time the same way. A CRON time is one of the wall clock, however short a minute is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from snowcellar.names import QualifiedName
from snowcellar.tasks.schedule import interval_seconds, next_time

IDLE_SECONDS = 5.0
HEALTH_CHECK_SECONDS = 12 * 3600
"""How often a triggered task runs though its stream is empty, which keeps the stream from going stale."""
TRIGGER_POLL_SECONDS = 0.25
"""How often the streams of triggered tasks are looked at."""


class Timed(Protocol):
    """What a clock asks of a root task or an alert."""

    @property
    def name(self) -> QualifiedName: ...

    @property
    def start(self) -> object:
        """What tells one start of it from another."""

    @property
    def schedule(self) -> str | None:
        """Its interval; None for what streams wake."""

    @property
    def is_triggered(self) -> bool: ...

    @property
    def trigger_interval_seconds(self) -> int: ...


T = TypeVar("T", bound=Timed)


@dataclass
class _Entry(Generic[T]):
    owner: T
    at: float
    """On the monotonic clock."""
    interval: float
    due: datetime | None = None
    """The CRON time that it waits for."""
    checked: float = field(default_factory=time.monotonic)
    """When what a stream wakes was last run, or its health was looked at."""


@dataclass(frozen=True)
class Tick(Generic[T]):
    """That the time of a root task or an alert has come."""

    owner: T
    scheduled_time: datetime
    next_time: datetime | None
    """When it is due again; None for one that a stream wakes."""
    health_check: bool = False
    """Whether a run is to be noted even if the stream has nothing."""


class Clock(Generic[T]):
    """The times of what was started in a warehouse; its user keeps threads apart."""

    def __init__(self, minute_seconds: float) -> None:
        self._seconds_per_second = minute_seconds / 60
        self._entries: dict[QualifiedName, _Entry[T]] = {}

    def follow(self, started: Iterable[T]) -> None:
        """Bring the clock in line with what is started now."""
        now, wall = time.monotonic(), datetime.now(UTC)
        owners = {owner.name: owner for owner in started}
        self._entries = {name: entry for name, entry in self._entries.items() if name in owners}
        for name, owner in owners.items():
            entry = self._entries.get(name)
            if entry is None or entry.owner.start != owner.start:
                self._entries[name] = self._first(owner)
            else:
                entry.owner = owner
                if entry.due is not None:
                    # The two clocks go apart, as when a laptop sleeps.
                    entry.at = now + (entry.due - wall).total_seconds()

    def take_due(self, may_start: Callable[[T], bool]) -> list[Tick[T]]:
        """Those whose time has come and that may start; the clock moves on for all whose time it was.

        A tick that was missed is not made up for, nor is one at which its owner may not start (SEMANTICS 15).
        """
        now, wall = time.monotonic(), datetime.now(UTC)
        ticks = []
        for entry in self._entries.values():
            if entry.at > now:
                continue
            late = now - entry.at
            if entry.owner.is_triggered:
                entry.at = now + TRIGGER_POLL_SECONDS
                unhealthy = now - entry.checked >= HEALTH_CHECK_SECONDS * self._seconds_per_second
                entry.checked = now if unhealthy else entry.checked
                tick = Tick(entry.owner, wall, None, health_check=unhealthy)
            else:
                if entry.due is not None:
                    self._await_cron(entry, wall)
                else:
                    entry.at += entry.interval * (1 + late // entry.interval)
                due_again = wall + timedelta(seconds=entry.at - now)
                tick = Tick(entry.owner, wall - timedelta(seconds=late), due_again)
            if may_start(entry.owner):
                ticks.append(tick)
        return ticks

    def rest(self, owner: T) -> None:
        """A stream has woken it: not again before its minimum interval."""
        if entry := self._entries.get(owner.name):
            entry.checked = time.monotonic()
            entry.at = entry.checked + entry.interval

    def next_runs(self) -> list[tuple[T, datetime]]:
        """Those that have a schedule, and when each is due."""
        now, wall = time.monotonic(), datetime.now(UTC)
        return [
            (entry.owner, wall + timedelta(seconds=entry.at - now))
            for entry in self._entries.values()
            if not entry.owner.is_triggered
        ]

    def seconds_to_wait(self) -> float:
        """Until something is due; not for ever."""
        now = time.monotonic()
        return max(0.0, min([IDLE_SECONDS, *(entry.at - now for entry in self._entries.values())]))

    def _first(self, owner: T) -> _Entry[T]:
        if owner.schedule is None:
            return _Entry(owner, time.monotonic(), owner.trigger_interval_seconds * self._seconds_per_second)
        if self._await_cron(entry := _Entry(owner, 0.0, 0.0), datetime.now(UTC)):
            return entry
        interval = interval_seconds(owner.schedule) * self._seconds_per_second
        return _Entry(owner, time.monotonic() + interval, interval)

    def _await_cron(self, entry: _Entry[T], wall: datetime) -> bool:
        """Set the time that an entry waits for; False if its schedule is an interval."""
        entry.due = next_time(str(entry.owner.schedule), wall)
        if entry.due is not None:
            entry.at = time.monotonic() + (entry.due - wall).total_seconds()
        return entry.due is not None
