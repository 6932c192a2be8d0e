"""The clock: starts graphs when they are due, when a stream wakes them, or when EXECUTE TASK asks.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro (SEMANTICS 14-17, 20). One thread looks at what
is due and evaluates the roots' conditions; a graph that has something to do runs in a thread of its own.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError, as_warehouse_error
from snowcellar.names import QualifiedName
from snowcellar.tasks import condition, history
from snowcellar.tasks.graph_run import GraphRun
from snowcellar.tasks.history import TaskHistory
from snowcellar.tasks.schedule import interval_seconds
from snowcellar.tasks.task import Task
from snowcellar.tasks.task_run import Cancellation, TaskRun

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)

_IDLE_SECONDS = 5.0
_TRIGGER_POLL_SECONDS = 0.25
"""How often the streams of triggered tasks are looked at."""
_STOP_SECONDS = 10.0
SUSPENDED_BY_USER = "USER_SUSPENDED"
SUSPENDED_BY_ERRORS = "SUSPENDED_DUE_TO_ERRORS"


@dataclass
class _Due:
    """When a started root runs next; `at` is on the monotonic clock."""

    task_id: str
    resumed_on: datetime | None
    at: float
    interval: float
    triggered: bool


class Scheduler:
    """Runs the tasks of a warehouse until it is stopped."""

    def __init__(self, warehouse: Warehouse, writer: TaskHistory) -> None:
        self._warehouse = warehouse
        self._writer = writer
        self._changed = threading.Condition()
        self._due: dict[QualifiedName, _Due] = {}
        self._running: dict[QualifiedName, list[GraphRun]] = {}
        self._requested: dict[QualifiedName, deque[GraphRun]] = {}
        self._threads: set[threading.Thread] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="task scheduler", daemon=True)

    def start(self) -> None:
        """Begin to look at the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, cancel what runs and wait for it to end."""
        error = WarehouseError("The warehouse was stopped while this task ran.", 604, "57014")
        with self._changed:
            self._stopping = True
            runs = [run for running in self._running.values() for run in running]
            threads = [self._thread, *self._threads]
            self._changed.notify_all()
        for run in runs:
            run.cancel(Cancellation(history.CANCELLED, error))
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def notify(self) -> None:
        """Tasks were created, changed or dropped."""
        with self._changed:
            self._changed.notify_all()

    def request(self, run: GraphRun) -> None:
        """Run a graph as soon as its overlap policy lets it (EXECUTE TASK)."""
        if run.root_run is None:
            run.announce()
        with self._changed:
            self._requested.setdefault(run.root.name, deque()).append(run)
            self._changed.notify_all()

    def cancel(self, root: Task, error: WarehouseError) -> None:
        """Cancel the runs of a root's graph."""
        with self._changed:
            runs = list(self._running.get(root.name, []))
        for run in runs:
            run.cancel(Cancellation(history.CANCELLED, error))

    def stop_database(self, database: str) -> None:
        """Cancel the runs of a database that was dropped, and wait until they have let go of its file."""
        error = WarehouseError(f"Database '{database}' was dropped while this task ran.", 604, "57014")
        with self._changed:
            for name in [name for name in self._requested if name.database == database]:
                del self._requested[name]
            for name, runs in self._running.items():
                if name.database == database:
                    for run in runs:
                        run.cancel(Cancellation(history.CANCELLED, error))
            self._changed.wait_for(
                lambda: not any(name.database == database for name in self._running), _STOP_SECONDS
            )

    def is_idle(self) -> bool:
        """Whether no graph runs or waits to run."""
        with self._changed:
            return not self._running and not any(self._requested.values())

    def next_runs(self) -> list[tuple[Task, datetime]]:
        """The scheduled roots and when each is due."""
        tasks, now = self._warehouse.tasks.tasks, datetime.now(UTC)
        with self._changed:
            self._follow_registry()
            return [
                (tasks[name], now + timedelta(seconds=due.at - time.monotonic()))
                for name, due in self._due.items()
                if not due.triggered and name in tasks
            ]

    def _work(self) -> None:
        session = self._warehouse.open_session(user="SYSTEM")
        try:
            while True:
                with self._changed:
                    if self._stopping:
                        return
                    self._follow_registry()
                    due = self._take_due()
                    if not due and not self._start_requested():
                        self._changed.wait(self._seconds_to_wait())
                        continue
                for task, scheduled_time, next_time in due:
                    self._start_if_condition_holds(session, task, scheduled_time, next_time)
        finally:
            self._warehouse.close_session(session)

    def _follow_registry(self) -> None:
        """Bring the clock in line with the started roots; an interval begins at RESUME (SEMANTICS 20)."""
        started = {
            task.name: task for task in self._warehouse.tasks.tasks.values() if task.is_root and task.started
        }
        for name in [name for name in self._due if name not in started]:
            del self._due[name]
        for name, task in started.items():
            due = self._due.get(name)
            if due is None or (due.task_id, due.resumed_on) != (task.task_id, task.resumed_on):
                if task.schedule is not None:
                    interval = self._scaled(interval_seconds(task.schedule))
                    first = time.monotonic() + interval
                else:
                    interval, first = self._scaled(task.trigger_interval_seconds), time.monotonic()
                self._due[name] = _Due(task.task_id, task.resumed_on, first, interval, task.is_triggered)

    def _scaled(self, seconds: float) -> float:
        return seconds * self._warehouse.minute_seconds / 60

    def _take_due(self) -> list[tuple[Task, datetime, datetime | None]]:
        """The roots whose time has come and which may run, each with that time; their clocks move on."""
        now, wall = time.monotonic(), datetime.now(UTC)
        taken: list[tuple[Task, datetime, datetime | None]] = []
        for name, due in self._due.items():
            if due.at > now:
                continue
            task = self._warehouse.tasks.tasks[name]
            if due.triggered:
                due.at = now + _TRIGGER_POLL_SECONDS
                if self._may_start(task):
                    taken.append((task, wall, None))
                continue
            scheduled = wall - timedelta(seconds=now - due.at)
            # A tick that was missed is not made up for.
            due.at += due.interval * (1 + (now - due.at) // due.interval)
            # A tick that falls into a running graph is passed over (SEMANTICS 15).
            if self._may_start(task) and not self._requested.get(name):
                taken.append((task, scheduled, wall + timedelta(seconds=due.at - now)))
        return taken

    def _may_start(self, root: Task) -> bool:
        running = self._running.get(root.name, [])
        if root.overlap_policy == "ALLOW_ALL_OVERLAP":
            return True
        if root.overlap_policy == "ALLOW_CHILD_OVERLAP":
            return all(run.root_ended.is_set() for run in running)
        return not running

    def _start_requested(self) -> bool:
        started = False
        for name, waiting in self._requested.items():
            while waiting and self._may_start(waiting[0].root):
                run = waiting.popleft()
                self._begin(run, check_root=True)
                started = True
            if not waiting and name not in self._running:
                continue
        self._requested = {name: waiting for name, waiting in self._requested.items() if waiting}
        return started

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        return max(0.0, min([_IDLE_SECONDS, *(due.at - now for due in self._due.values())]))

    def _start_if_condition_holds(
        self, session: Session, task: Task, scheduled_time: datetime, next_time: datetime | None
    ) -> None:
        run = GraphRun(
            self._warehouse,
            self._writer,
            dict(self._warehouse.tasks.tasks),
            task,
            scheduled_time,
            "SCHEDULE" if next_time else "TRIGGER",
            next_scheduled_time=next_time,
        )
        try:
            holds = condition.holds(session, task, lambda _: None)
        except Exception as error:
            self._condition_failed(run, as_warehouse_error(error))
            return
        if holds:
            if task.is_triggered and (due := self._due.get(task.name)):
                due.at = time.monotonic() + due.interval
            with self._changed:
                now = self._warehouse.tasks.tasks.get(task.name)
                # It may have been suspended or replaced since the clock was looked at.
                if not self._stopping and now is not None and now.started and now.task_id == task.task_id:
                    self._begin(run, check_root=False)
        elif next_time is not None:
            TaskRun(self._warehouse, self._writer, run, task).skip()

    def _condition_failed(self, run: GraphRun, error: WarehouseError) -> None:
        if run.root.name not in self._warehouse.tasks.tasks:
            return  # dropped, with its streams, since the clock was looked at
        failed = TaskRun(self._warehouse, self._writer, run, run.root)
        failed.fail(error)
        if self._count(run.root, history.FAILED):
            failed.mark_auto_suspended()

    def _begin(self, run: GraphRun, *, check_root: bool) -> None:
        thread = threading.Thread(
            target=self._run_graph, args=(run, check_root), name=f"graph {run.root.name}", daemon=True
        )
        self._running.setdefault(run.root.name, []).append(run)
        self._threads.add(thread)
        thread.start()

    def _run_graph(self, run: GraphRun, check_root: bool) -> None:
        try:
            outcome = run.run(check_root=check_root)
            if self._count(run.root, outcome):
                run.mark_auto_suspended()
        except Exception:
            log.exception("the run of graph %s broke off", run.root.name)
        finally:
            with self._changed:
                self._running[run.root.name].remove(run)
                if not self._running[run.root.name]:
                    del self._running[run.root.name]
                self._threads.discard(threading.current_thread())
                self._changed.notify_all()

    def _count(self, root: Task, outcome: str) -> bool:
        """Count failures in a row; True when they have now suspended the root (SEMANTICS 16)."""
        registry = self._warehouse.tasks
        with registry.lock:
            task = registry.tasks.get(root.name)
            if (
                task is None
                or task.task_id != root.task_id
                or outcome not in (history.SUCCEEDED, history.FAILED)
            ):
                return False
            failures = task.failures + 1 if outcome == history.FAILED else 0
            suspend = 0 < task.suspend_after_failures <= failures and task.started
            if suspend:
                changes = {
                    "started": False,
                    "suspended_on": datetime.now(UTC),
                    "suspended_reason": SUSPENDED_BY_ERRORS,
                }
                registry.save(self._warehouse, dataclasses.replace(task, failures=0, **changes))  # type: ignore[arg-type]
            elif failures != task.failures:
                registry.save(self._warehouse, dataclasses.replace(task, failures=failures))
            return suspend
