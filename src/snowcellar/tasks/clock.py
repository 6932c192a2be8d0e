"""When the started roots are due: intervals that begin at RESUME, and streams that are looked at in between.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro (SEMANTICS 15, 17, 20)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from snowcellar.names import QualifiedName
from snowcellar.tasks.schedule import interval_seconds
from snowcellar.tasks.task import Task

IDLE_SECONDS = 5.0
TRIGGER_POLL_SECONDS = 0.25
"""How often the streams of triggered tasks are looked at."""


@dataclass
class _Entry:
    task: Task
    at: float
    """On the monotonic clock."""
    interval: float


@dataclass(frozen=True)
class Tick:
    """A root whose time has come."""

    task: Task
    scheduled_time: datetime
    next_time: datetime | None
    """When it is due again; None for one that a stream wakes."""


class Clock:
    """The times of a warehouse's started roots; its owner keeps threads apart."""

    def __init__(self, minute_seconds: float) -> None:
        self._seconds_per_second = minute_seconds / 60
        self._entries: dict[QualifiedName, _Entry] = {}

    def follow(self, tasks: Mapping[QualifiedName, Task]) -> None:
        """Bring the clock in line with the tasks there are."""
        started = {task.name: task for task in tasks.values() if task.is_root and task.started}
        self._entries = {name: entry for name, entry in self._entries.items() if name in started}
        for name, task in started.items():
            entry = self._entries.get(name)
            if entry is None or _start(entry.task) != _start(task):
                self._entries[name] = self._first(task)
            else:
                entry.task = task

    def take_due(self, may_start: Callable[[Task], bool]) -> list[Tick]:
        """The roots whose time has come and that may start; the clock moves on for all whose time it was.

        A tick that was missed is not made up for, nor is one at which the root may not start (SEMANTICS 15).
        """
        now, wall = time.monotonic(), datetime.now(UTC)
        ticks = []
        for entry in self._entries.values():
            if entry.at > now:
                continue
            late = now - entry.at
            if entry.task.is_triggered:
                entry.at = now + TRIGGER_POLL_SECONDS
                tick = Tick(entry.task, wall, None)
            else:
                entry.at += entry.interval * (1 + late // entry.interval)
                next_time = wall + timedelta(seconds=entry.at - now)
                tick = Tick(entry.task, wall - timedelta(seconds=late), next_time)
            if may_start(entry.task):
                ticks.append(tick)
        return ticks

    def rest(self, task: Task) -> None:
        """A stream has woken the task: not again before its minimum interval."""
        if entry := self._entries.get(task.name):
            entry.at = time.monotonic() + entry.interval

    def next_runs(self) -> list[tuple[Task, datetime]]:
        """The roots that have a schedule, and when each is due."""
        now, wall = time.monotonic(), datetime.now(UTC)
        return [
            (entry.task, wall + timedelta(seconds=entry.at - now))
            for entry in self._entries.values()
            if not entry.task.is_triggered
        ]

    def seconds_to_wait(self) -> float:
        """Until something is due; not for ever."""
        now = time.monotonic()
        return max(0.0, min([IDLE_SECONDS, *(entry.at - now for entry in self._entries.values())]))

    def _first(self, task: Task) -> _Entry:
        if task.schedule is None:
            return _Entry(task, time.monotonic(), task.trigger_interval_seconds * self._seconds_per_second)
        interval = interval_seconds(task.schedule) * self._seconds_per_second
        return _Entry(task, time.monotonic() + interval, interval)


def _start(task: Task) -> tuple[str, datetime | None]:
    """What tells one start of a task from another."""
    return task.task_id, task.resumed_on
