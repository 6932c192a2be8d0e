"""One run of a graph of tasks: root, descendants as their predecessors succeed, finalizer, retries.

Source: https://docs.snowflake.com/en/user-guide/tasks-graphs (SEMANTICS 12, 14, 16, 19). The graph is the one
there was when the run began, whatever is altered meanwhile.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError
from snowcellar.names import QualifiedName
from snowcellar.tasks import graph, history
from snowcellar.tasks.history import TaskHistory
from snowcellar.tasks.task import DEFAULT_TIMEOUT_MS, Task, TaskError
from snowcellar.tasks.task_run import Cancellation, TaskRun

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

PASSED_OVER = "PASSED_OVER"
"""A suspended task, which its successors take for one that succeeded."""
HELD_BACK = "HELD_BACK"
"""A task whose predecessor did not succeed: it does not run and has no row in the history."""

GO_ON = (history.SUCCEEDED, PASSED_OVER)
_POLL_SECONDS = 0.2
_CONCURRENT_TASKS = 8
"""How many tasks run at a time, over all graphs: a virtual warehouse's MAX_CONCURRENCY_LEVEL."""

_slots = threading.BoundedSemaphore(_CONCURRENT_TASKS)


class GraphRun:
    """A run of a graph, retries included; `run` blocks until it is over."""

    def __init__(
        self,
        warehouse: Warehouse,
        writer: TaskHistory,
        tasks: Mapping[QualifiedName, Task],
        root: Task,
        scheduled_time: datetime,
        scheduled_from: str,
        config: str | None = None,
        next_scheduled_time: datetime | None = None,
    ) -> None:
        self.root = root
        self.scheduled_time = scheduled_time
        self.scheduled_from = scheduled_from
        self.next_scheduled_time = next_scheduled_time
        self.config = config if config is not None else root.config
        self.run_id = round(scheduled_time.timestamp() * 1000)
        self.group_id = str(uuid.uuid4())
        self.attempt = 1
        self.root_ended = threading.Event()
        self.root_run: TaskRun | None = None
        self._warehouse = warehouse
        self._writer = writer
        self._descendants = graph.descendants(tasks, root)
        self._finalizer = graph.finalizer(tasks, root)
        self._states: dict[str, str] = {}
        self._values: dict[str, str | None] = {}
        self._failed_runs: list[TaskRun] = []
        self._running: dict[str, TaskRun] = {}
        self._ended: queue.SimpleQueue[TaskRun] = queue.SimpleQueue()
        self._deadline: float | None = None
        self._cancellation: Cancellation | None = None

    def announce(self) -> None:
        """Show the root as scheduled, before the run begins."""
        self.root_run = TaskRun(self._warehouse, self._writer, self, self.root)
        self.root_run.announce()

    def take_up(self, group_id: str, run_id: int, attempt: int, succeeded: Mapping[str, str | None]) -> None:
        """Make this the retry of an earlier run, of which only what did not succeed runs again.

        succeeded: the return values of the tasks that did, by name.
        """
        self.group_id, self.run_id, self.attempt = group_id, run_id, attempt
        self._states = dict.fromkeys(succeeded, history.SUCCEEDED)
        self._values = dict(succeeded)

    def run(self, *, check_root: bool) -> str:
        """Run the graph and answer with SUCCEEDED, FAILED, CANCELLED or SKIPPED."""
        while True:
            outcome = self._run_attempt(check_root=check_root)
            exhausted = self.attempt > self.root.auto_retry_attempts
            if outcome != history.FAILED or exhausted or self._cancellation is not None:
                return outcome
            self.attempt += 1
            self.scheduled_from = "AUTOMATIC RETRY"
            self.root_run = None
            self._states = {name: state for name, state in self._states.items() if state == history.SUCCEEDED}

    def mark_auto_suspended(self) -> None:
        """Show the run's last failure as the one that suspended the graph."""
        if self._failed_runs:
            self._failed_runs[-1].mark_auto_suspended()

    def cancel(self, cancellation: Cancellation) -> None:
        """Stop what runs and begin nothing more."""
        self._cancellation = cancellation
        for run in list(self._running.values()):
            run.cancel(cancellation)

    def predecessor_value(self, run: TaskRun) -> Callable[[str | None], str | None]:
        """What SYSTEM$GET_PREDECESSOR_RETURN_VALUE answers in a run."""

        def value(name: str | None) -> str | None:
            predecessors = run.task.predecessors
            if name is None:
                if len(predecessors) != 1:
                    raise TaskError(
                        f"Task {run.task.name} has {len(predecessors)} predecessors; "
                        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE needs the name of one."
                    )
                name = predecessors[0]
            if name not in predecessors:
                raise TaskError(f"Task {name} is not a predecessor of task {run.task.name}.")
            return self._values.get(name)

        return value

    def _run_attempt(self, *, check_root: bool) -> str:
        self._failed_runs.clear()
        if self.root.timeout_ms:
            # The root's own timeout holds for the whole graph.
            self._deadline = time.monotonic() + self.root.timeout_ms / 1000
        order = [self.root, *self._descendants]
        self._start_ready(order, check_root=check_root)
        while self._running:
            self._await_one()
            self._start_ready(order, check_root=check_root)
        states = set(self._states.values())
        self.root_ended.set()
        if self._states.get(self.root.name.name) == history.SKIPPED:
            return history.SKIPPED
        self._run_finalizer()
        if self._failed_runs:
            return history.FAILED
        return history.CANCELLED if history.CANCELLED in states else history.SUCCEEDED

    def _start_ready(self, order: list[Task], *, check_root: bool) -> None:
        """Start what can start, and settle what never will; `order` has predecessors first."""
        for task in order:
            name = task.name.name
            if name in self._states or name in self._running:
                continue
            before = (
                [self._states.get(other, "") for other in task.predecessors] if task is not self.root else []
            )
            if "" in before:
                continue
            if self._cancellation is not None or any(state not in GO_ON for state in before):
                self._states[name] = HELD_BACK
            elif task is not self.root and not task.started:
                self._states[name] = PASSED_OVER
            else:
                self._start(task, check_condition=check_root if task is self.root else True)

    def _start(self, task: Task, *, check_condition: bool) -> None:
        announced = self.root_run if task is self.root else None
        run = announced or TaskRun(self._warehouse, self._writer, self, task)
        if task is self.root:
            self.root_run = run
        self._running[task.name.name] = run
        threading.Thread(
            target=self._run_task, args=(run, check_condition), name=f"task {task.name}", daemon=True
        ).start()

    def _run_task(self, run: TaskRun, check_condition: bool) -> None:
        try:
            with _slots:
                run.deadline = self._deadline_of(run.task)
                run.run(check_condition=check_condition)
        except Exception as error:
            run.fail(WarehouseError(f"Internal error of snowcellar: {error}", 603, "XX000"))
        finally:
            self._ended.put(run)

    def _deadline_of(self, task: Task) -> float:
        if task.timeout_ms and task is not self.root:
            return time.monotonic() + task.timeout_ms / 1000
        own = time.monotonic() + DEFAULT_TIMEOUT_MS / 1000
        return own if self._deadline is None else self._deadline

    def _await_one(self) -> None:
        """Wait until a run ends, stopping those that are overdue."""
        while True:
            try:
                run = self._ended.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                self._stop_overdue()
                continue
            name = run.task.name.name
            del self._running[name]
            self._states[name] = history.FAILED if run.row.state in history.FAILURES else run.row.state
            self._values[name] = run.return_value
            if run.row.state == history.FAILED:
                self._failed_runs.append(run)
            if run.task is self.root:
                self.root_ended.set()
            return

    def _stop_overdue(self) -> None:
        for run in list(self._running.values()):
            if self._cancellation is not None:
                run.cancel(self._cancellation)
            elif run.is_overdue():
                run.cancel(Cancellation(history.FAILED, _timeout_error(run.task, self.root)))

    def _run_finalizer(self) -> None:
        task = self._finalizer
        if task is None or not task.started or self._cancellation is not None:
            return
        self._deadline = None
        self._start(task, check_condition=True)
        self._await_one()
        self._states.pop(task.name.name)


def _timeout_error(task: Task, root: Task) -> WarehouseError:
    seconds = (task.timeout_ms or root.timeout_ms or DEFAULT_TIMEOUT_MS) / 1000
    return WarehouseError(
        f"Statement reached its statement or warehouse timeout of {seconds:g} second(s) and was canceled.",
        630,
        "57014",
    )
