"""The scheduler: starts graphs when they are due, when a stream wakes them, or when EXECUTE TASK asks.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro (SEMANTICS 14-17, 20). One thread looks at what
is due and evaluates the roots' conditions; a graph that has something to do runs in a thread of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError, as_warehouse_error
from snowcellar.names import QualifiedName
from snowcellar.tasks import condition, history, transitions
from snowcellar.tasks.clock import Clock, Tick
from snowcellar.tasks.graph_run import GraphRun
from snowcellar.tasks.history import TaskHistory
from snowcellar.tasks.task import Task
from snowcellar.tasks.task_run import Cancellation, TaskRun

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)

_STOP_SECONDS = 10.0
_ERROR_SECONDS = 1.0
_OVERLAPPING_RUNS = 20
"""Runs of one graph at a time where its policy lets them overlap; ticks beyond are passed over."""


class Scheduler:
    """Runs the tasks of a warehouse until it is stopped."""

    def __init__(self, warehouse: Warehouse, writer: TaskHistory) -> None:
        self._warehouse = warehouse
        self._writer = writer
        self._changed = threading.Condition()
        self._clock: Clock[Task] = Clock(warehouse.minute_seconds)
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

    def running_groups(self) -> list[str]:
        """The ids of the graph runs that are under way or wait to begin."""
        with self._changed:
            runs = [*self._running.values(), *self._requested.values()]
            return [run.group_id for each in runs for run in each]

    def next_runs(self) -> list[tuple[Task, datetime]]:
        """The scheduled roots and when each is due."""
        with self._changed:
            self._clock.follow(self._warehouse.tasks.started_roots())
            return self._clock.next_runs()

    def _work(self) -> None:
        session = self._warehouse.open_session(user="SYSTEM")
        try:
            while not self._stopping:
                try:
                    for tick in self._await_ticks():
                        self._start_if_condition_holds(session, tick)
                except Exception:
                    log.exception("the task scheduler goes on after an error")
                    time.sleep(_ERROR_SECONDS)
        finally:
            self._warehouse.close_session(session)

    def _await_ticks(self) -> list[Tick[Task]]:
        """The ticks that are due, at once or after a wait; what was requested is started in passing."""
        with self._changed:
            self._clock.follow(self._warehouse.tasks.started_roots())
            ticks = self._clock.take_due(self._may_tick)
            if not self._start_requested() and not ticks and not self._stopping:
                self._changed.wait(self._clock.seconds_to_wait())
            return [] if self._stopping else ticks

    def _may_tick(self, root: Task) -> bool:
        return self._may_start(root) and not self._requested.get(root.name)

    def _may_start(self, root: Task) -> bool:
        running = self._running.get(root.name, [])
        if len(running) >= _OVERLAPPING_RUNS:
            return False
        if root.overlap_policy == "ALLOW_ALL_OVERLAP":
            return True
        if root.overlap_policy == "ALLOW_CHILD_OVERLAP":
            return all(run.root_ended.is_set() for run in running)
        return not running

    def _start_requested(self) -> bool:
        started = False
        for waiting in self._requested.values():
            while waiting and self._may_start(waiting[0].root):
                self._begin(waiting.popleft(), check_root=True)
                started = True
        self._requested = {name: waiting for name, waiting in self._requested.items() if waiting}
        return started

    def _start_if_condition_holds(self, session: Session, tick: Tick[Task]) -> None:
        task = tick.owner
        run = GraphRun(
            self._warehouse,
            self._writer,
            self._warehouse.tasks.tasks,
            task,
            tick.scheduled_time,
            "SCHEDULE" if tick.next_time else "TRIGGER",
            next_scheduled_time=tick.next_time,
        )
        try:
            holds = condition.holds(session, task, lambda _: None)
        except Exception as error:
            self._condition_failed(run, as_warehouse_error(error))
            return
        if holds:
            self._begin_scheduled(run, tick)
        elif tick.next_time is not None or tick.health_check:
            TaskRun(self._warehouse, self._writer, run, task).skip()

    def _begin_scheduled(self, run: GraphRun, tick: Tick[Task]) -> None:
        with self._changed:
            now = self._warehouse.tasks.tasks.get(tick.owner.name)
            # It may have been suspended or replaced since the clock was looked at.
            if self._stopping or now is None or not now.started or now.task_id != tick.owner.task_id:
                return
            if tick.next_time is None:
                self._clock.rest(tick.owner)
            self._begin(run, check_root=False)

    def _condition_failed(self, run: GraphRun, error: WarehouseError) -> None:
        if run.root.name not in self._warehouse.tasks.tasks:
            return  # dropped, with its streams, since the clock was looked at
        failed = TaskRun(self._warehouse, self._writer, run, run.root)
        failed.fail(error)
        if transitions.count_outcome(self._warehouse, run.root, history.FAILED):
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
            if transitions.count_outcome(self._warehouse, run.root, outcome):
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
