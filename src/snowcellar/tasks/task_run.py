"""One run of one task: its session, its row in the history, its cancellation."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError, as_warehouse_error
from snowcellar.grants.executions import require_task_may_run, task_owner
from snowcellar.tasks import condition, history
from snowcellar.tasks.history import RunRow, TaskHistory
from snowcellar.tasks.task import Task

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.tasks.graph_run import GraphRun
    from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)

CONDITION_FALSE = "Conditional expression for task evaluated to false."
CONDITION_FALSE_CODE = "0040003"


@dataclass(frozen=True)
class Cancellation:
    """Why a run was stopped, and the state that it ends in."""

    state: str
    error: WarehouseError


class TaskRun:
    """A task that is being run: what `session.task_run` is while it is."""

    def __init__(self, warehouse: Warehouse, writer: TaskHistory, graph_run: GraphRun, task: Task) -> None:
        self.task = task
        self.graph_run = graph_run
        self.return_value: str | None = None
        self.cancelled = threading.Event()
        """Set when the run is to stop: for what runs outside DuckDB, which an interrupt does not reach."""
        self.deadline: float | None = None
        self._warehouse = warehouse
        self._writer = writer
        self._session: Session | None = None
        self._cancellation: Cancellation | None = None
        root = task.name == graph_run.root.name
        self.row = RunRow(
            run_key=str(uuid.uuid4()),
            task=task.name,
            query_text=task.body,
            condition_text=task.condition,
            state=history.SCHEDULED,
            scheduled_time=graph_run.scheduled_time if root else datetime.now(UTC),
            root_task_id=graph_run.root.task_id,
            graph_version=graph_run.root.graph_version,
            run_id=graph_run.run_id,
            scheduled_from=graph_run.scheduled_from,
            attempt_number=graph_run.attempt,
            graph_run_group_id=graph_run.group_id,
            config=graph_run.config,
            next_scheduled_time=graph_run.next_scheduled_time if root else None,
        )

    def announce(self) -> None:
        """Show the run as scheduled before it begins."""
        self._write()

    def skip(self) -> None:
        """Record that the task's condition was false."""
        self._finish(history.SKIPPED, error_code=CONDITION_FALSE_CODE, error_message=CONDITION_FALSE)

    def fail(self, error: WarehouseError, state: str = history.FAILED) -> None:
        """Record a failure."""
        self._finish(state, error_code=f"{error.errno:06d}", error_message=error.message)

    def mark_auto_suspended(self) -> None:
        """Say of a failed run that it was the one too many (SEMANTICS 16)."""
        self.row.state = history.AUTO_SUSPENDED
        self._write()

    def run(self, *, check_condition: bool) -> str:
        """Run the task in a session of its own and answer with the state that it ended in."""
        task = self.task
        session = self._warehouse.open_session(
            task.name.database, task.name.schema, user="SYSTEM", role=task_owner(self._warehouse, task)
        )
        try:
            self._enter(session)
            require_task_may_run(self._warehouse, task)
            if check_condition and not self._condition_holds(session):
                self.skip()
            else:
                self._execute(session)
        except Exception as error:
            self._record_failure(as_warehouse_error(error))
        finally:
            self._session = None
            self._warehouse.close_session(session)
        return self.row.state

    def cancel(self, cancellation: Cancellation) -> None:
        """Stop the run: interrupt its statement, and every later one it begins. May be called again."""
        if self._cancellation is None:
            self._cancellation = cancellation
        self.cancelled.set()
        if (session := self._session) is not None:
            session.interrupt()

    def require_running(self) -> None:
        """Refuse what a cancelled run, or a procedure that it called, would still begin."""
        if self._cancellation is not None:
            raise self._cancellation.error

    def is_overdue(self) -> bool:
        """Whether the run has passed its deadline."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _enter(self, session: Session) -> None:
        for name, value in self.task.parameters.items():
            session.set_parameter(name, value)
        session.virtual_warehouse = self.task.warehouse
        session.task_run = self
        session.executes_as_role = True
        self._session = session

    def _condition_holds(self, session: Session) -> bool:
        return condition.holds(session, self.task, self.graph_run.predecessor_value(self))

    def _execute(self, session: Session) -> None:
        self.row.state = history.EXECUTING
        self.row.query_start_time = datetime.now(UTC)
        self._write()
        try:
            session.execute(self.task.body)
        finally:
            self.row.query_id = session.last_query_id
        if session.connection.transaction is not None:
            raise WarehouseError("The task left a transaction open; it is rolled back.", 90232, "25001")
        self._finish(history.SUCCEEDED)

    def _record_failure(self, error: WarehouseError) -> None:
        if self._cancellation is not None:
            self.fail(self._cancellation.error, self._cancellation.state)
        else:
            log.info("task %s failed: %s", self.task.name, error.message.replace("\n", " "))
            self.fail(error)

    def _finish(self, state: str, error_code: str | None = None, error_message: str | None = None) -> None:
        self.row.state, self.row.error_code, self.row.error_message = state, error_code, error_message
        self.row.return_value = self.return_value
        self.row.completed_time = datetime.now(UTC)
        self._write()

    def _write(self) -> None:
        try:
            self._writer.write(self.row)
        except Exception as error:  # the run itself must go on
            registry = self._warehouse.tasks
            gone = registry.scheduler is None or self.task.name not in registry.tasks
            level = logging.DEBUG if gone else logging.WARNING
            log.log(level, "cannot record a run of task %s: %s", self.task.name, error)
