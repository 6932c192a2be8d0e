"""A task's states: RESUME, SUSPEND, and a graph started by hand.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-task, .../execute-task (SEMANTICS 13, 14)
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.names import QualifiedName
from snowcellar.session import Session
from snowcellar.tasks import graph, history
from snowcellar.tasks.graph_run import GraphRun
from snowcellar.tasks.task import SUSPENDED_BY_ERRORS, SUSPENDED_BY_USER, Task, TaskError

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse


def resume(session: Session, name: QualifiedName) -> None:
    """Start a task: a child while its root is suspended, a root at any time."""
    registry = session.warehouse.tasks
    with registry.lock:
        task = registry.find(name)
        if not task.is_root:
            graph.require_suspended(registry.tasks, task)
            registry.save(session.warehouse, dataclasses.replace(task, started=True))
        elif not task.started:
            _require_clock(task)
            _start_root(session, task)


def suspend(session: Session, name: QualifiedName) -> None:
    """Suspend a task: a child while its root is suspended, a root at any time. What runs goes on."""
    registry = session.warehouse.tasks
    with registry.lock:
        task = registry.find(name)
        if not task.is_root:
            graph.require_suspended(registry.tasks, task)
        if task.started:
            now = datetime.now(UTC)
            suspended = dataclasses.replace(
                task, started=False, suspended_on=now, suspended_reason=SUSPENDED_BY_USER
            )
            registry.save(session.warehouse, suspended)


def resume_graph(session: Session, name: QualifiedName) -> None:
    """Start all tasks of a graph, its root last; nothing changes in one that is started."""
    registry = session.warehouse.tasks
    with registry.lock:
        task = registry.find(name)
        if not task.is_root:
            graph.require_suspended(registry.tasks, task)
        else:
            _require_clock(task)
        below = [other for other in graph.members(registry.tasks, task) if other.name != name]
        if task.is_root and task.started and any(not other.started for other in below):
            graph.require_suspended(registry.tasks, task)
        registry.save(session.warehouse, *(dataclasses.replace(other, started=True) for other in below))
        if not task.is_root:
            registry.save(session.warehouse, dataclasses.replace(task, started=True))
        elif not task.started:
            _start_root(session, task)


def execute(session: Session, name: QualifiedName, config: str | None, retry: str | None) -> None:
    """Ask for one run of a graph now; it runs in the background.

    config: merged over the root's own for this run. retry: empty for a new run, else LAST or the id of a
    graph run whose failed part is to run again.
    """
    registry = session.warehouse.tasks
    with registry.lock:
        root = registry.find(name)
        if not root.is_root:
            raise TaskError(
                f"Execute task cannot be called on non-root task {name}. "
                "Call EXECUTE TASK on the root task of its graph instead."
            )
        if registry.scheduler is None:
            raise WarehouseError(
                "EXECUTE TASK needs the task scheduler, which is not running here.", 90001, "57P03"
            )
        if not root.started:
            root = _new_version(session, root)
        run = GraphRun(
            session.warehouse,
            registry.history,
            registry.tasks,
            root,
            datetime.now(UTC),
            "EXECUTE TASK" if retry is None else "MANUAL RETRY",
            config=_merged_config(root, config),
        )
        if retry is not None:
            _take_up(session, root, run, retry)
        registry.scheduler.request(run)


def count_outcome(warehouse: Warehouse, root: Task, outcome: str) -> bool:
    """Count a graph's failures in a row; True when they have now suspended it (SEMANTICS 16)."""
    registry = warehouse.tasks
    with registry.lock:
        task = registry.tasks.get(root.name)
        if task is None or task.task_id != root.task_id:
            return False
        if outcome not in (history.SUCCEEDED, history.FAILED):
            return False
        failures = task.failures + 1 if outcome == history.FAILED else 0
        suspended = 0 < task.suspend_after_failures <= failures and task.started
        if suspended:
            task = dataclasses.replace(
                task, started=False, suspended_on=datetime.now(UTC), suspended_reason=SUSPENDED_BY_ERRORS
            )
            failures = 0
        if suspended or failures != task.failures:
            registry.save(warehouse, dataclasses.replace(task, failures=failures))
        return suspended


def _start_root(session: Session, root: Task) -> None:
    """Started tasks are those of the version that is set now (SEMANTICS 20)."""
    root = _new_version(session, root)
    now = datetime.now(UTC)
    session.warehouse.tasks.save(
        session.warehouse, dataclasses.replace(root, started=True, resumed_on=now, failures=0)
    )


def _new_version(session: Session, root: Task) -> Task:
    registry, now = session.warehouse.tasks, datetime.now(UTC)
    version = root.graph_version + 1
    members = graph.members(registry.tasks, root)
    registry.save(
        session.warehouse,
        *(dataclasses.replace(task, graph_version=version, committed_on=now) for task in members),
    )
    return registry.tasks[root.name]


def _require_clock(root: Task) -> None:
    if root.schedule is not None:
        return
    if not root.is_triggered:
        raise TaskError(
            f"Task {root.name} cannot be resumed: it has no schedule, no predecessor and no WHEN "
            "on a stream. Run it with EXECUTE TASK, or set one of them."
        )
    if root.warehouse is None:
        raise Unsupported(
            "a serverless triggered task (it needs TARGET_COMPLETION_INTERVAL)", "Set WAREHOUSE."
        )


def _take_up(session: Session, root: Task, run: GraphRun, retry: str) -> None:
    registry = session.warehouse.tasks
    group = registry.history.last_group(root.name.database, root.task_id) if retry == "LAST" else retry
    rows = registry.history.runs_of_group(root.name.database, group) if group else []
    if not rows and retry == "LAST":
        raise TaskError(
            f"Cannot perform retry: no suitable run of graph with root task {root.name.name} to retry."
        )
    if not rows:
        raise TaskError(f"Cannot perform retry: Graph run group with ID {retry} not found.")
    attempt = max(row["attempt_number"] for row in rows)
    last = {row["task_name"]: row for row in rows}
    if all(row["state"] not in (*history.FAILURES, history.CANCELLED) for row in last.values()):
        raise TaskError(
            f"Cannot perform retry: run (GRAPH_RUN_GROUP_ID = {group}, attempt = {attempt}) "
            f"of graph with root task {root.name.name} had no failures."
        )
    succeeded = {name: row["return_value"] for name, row in last.items() if row["state"] == history.SUCCEEDED}
    run.take_up(str(group), rows[0]["run_id"], attempt + 1, succeeded)


def _merged_config(root: Task, config: str | None) -> str | None:
    if config is None:
        return None
    merged = _merge(json.loads(root.config or "{}"), json.loads(config))
    return json.dumps(merged, separators=(",", ":"), ensure_ascii=False)


def _merge(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: _merge(base.get(key), value) for key, value in over.items()}}
