"""What a running task may ask and say: SYSTEM$SET_RETURN_VALUE and its kin.

Source: https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value,
.../system_get_predecessor_return_value, .../system_task_runtime_info, .../system_get_task_graph_config,
.../system_task_dependents_enable, .../system_user_task_cancel_ongoing_executions
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.session import Session
from snowcellar.tasks import transitions
from snowcellar.tasks.task import TaskError
from snowcellar.tasks.task_run import TaskRun

if TYPE_CHECKING:
    from snowcellar.tasks.scheduler import Scheduler

MAXIMUM_RETURN_BYTES = 10_240


def _current_run(session: Session, function: str) -> TaskRun:
    run: TaskRun | None = session.task_run
    if run is None:
        raise TaskError(f"Function {function} must be called from within a task.")
    return run


def set_return_value(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$SET_RETURN_VALUE('text'): the run's RETURN_VALUE."""
    run = _current_run(session, "SYSTEM$SET_RETURN_VALUE")
    (value,) = _arguments("SYSTEM$SET_RETURN_VALUE", arguments, 1, 1)
    if len(value.encode()) > MAXIMUM_RETURN_BYTES:
        raise TaskError(
            f"The return value of a task has {len(value.encode())} bytes; it may have {MAXIMUM_RETURN_BYTES}."
        )
    run.return_value = value
    return exp.Literal.string(value)


def get_predecessor_return_value(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$GET_PREDECESSOR_RETURN_VALUE(['name']); the name is taken exactly, as it is stored."""
    run = _current_run(session, "SYSTEM$GET_PREDECESSOR_RETURN_VALUE")
    names = _arguments("SYSTEM$GET_PREDECESSOR_RETURN_VALUE", arguments, 0, 1)
    return _literal(run.graph_run.predecessor_value(run)(names[0] if names else None))


def current_user_task_name(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$CURRENT_USER_TASK_NAME()."""
    _arguments("SYSTEM$CURRENT_USER_TASK_NAME", arguments, 0, 0)
    return _literal(_current_run(session, "SYSTEM$CURRENT_USER_TASK_NAME").task.name.name)


def task_runtime_info(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$TASK_RUNTIME_INFO('what')."""
    run = _current_run(session, "SYSTEM$TASK_RUNTIME_INFO")
    (what,) = _arguments("SYSTEM$TASK_RUNTIME_INFO", arguments, 1, 1)
    graph_run, what = run.graph_run, what.upper()
    if what == "CURRENT_TASK_NAME":
        return _literal(run.task.name.name)
    if what == "CURRENT_ROOT_TASK_NAME":
        return _literal(graph_run.root.name.name)
    if what == "CURRENT_ROOT_TASK_UUID":
        return _literal(graph_run.root.task_id)
    if what == "CURRENT_TASK_GRAPH_RUN_GROUP_ID":
        return _literal(graph_run.group_id)
    if what == "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP":
        return _literal(_timestamp(session, graph_run.run_id))
    if what not in (
        "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID",
        "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP",
    ):
        raise CompilationError(f"invalid value ['{what}'] for function SYSTEM$TASK_RUNTIME_INFO")
    root = graph_run.root
    last = session.warehouse.tasks.history.last_success(
        root.name.database, root.name, root.task_id, graph_run.run_id
    )
    if last is None:
        return exp.null()
    return _literal(last[0] if what.endswith("GROUP_ID") else _timestamp(session, last[1]))


def get_task_graph_config(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$GET_TASK_GRAPH_CONFIG(['path']): the graph's CONFIG, or what a dotted path names in it."""
    run = _current_run(session, "SYSTEM$GET_TASK_GRAPH_CONFIG")
    path = _arguments("SYSTEM$GET_TASK_GRAPH_CONFIG", arguments, 0, 1)
    if run.graph_run.config is None:
        return exp.null()
    value: Any = json.loads(run.graph_run.config)
    for part in path[0].split(".") if path else []:
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return _literal(value)
    return _literal(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def task_dependents_enable(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$TASK_DEPENDENTS_ENABLE('root'): resume the graph, its root last."""
    (name,) = _arguments("SYSTEM$TASK_DEPENDENTS_ENABLE", arguments, 1, 1)
    transitions.resume_graph(session, session.qualify(name))
    return exp.true()


def cancel_ongoing_executions(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('task'): stop the runs of its graph."""
    (name,) = _arguments("SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS", arguments, 1, 1)
    task = session.warehouse.tasks.find(session.qualify(name))
    scheduler: Scheduler | None = session.warehouse.tasks.scheduler
    if scheduler is not None:
        scheduler.cancel(task, TaskError(f"The run of task {task.name} was cancelled.", 604))
    return exp.true()


def _arguments(function: str, arguments: Sequence[str], least: int, most: int) -> Sequence[str]:
    if not least <= len(arguments) <= most:
        wanted = str(most) if least == most else f"{least} to {most}"
        raise CompilationError(f"function {function} expects {wanted} arguments, got {len(arguments)}", 938)
    return arguments


def _literal(text: str | None) -> exp.Expression:
    return exp.null() if text is None else exp.Literal.string(text)


def _timestamp(session: Session, milliseconds: int) -> str:
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(
        ZoneInfo(str(session.parameters["TIMEZONE"]))
    )
    return f"{instant:%Y-%m-%d %H:%M:%S}.{instant.microsecond // 1000:03d} {instant:%z}"


SYSTEM_FUNCTIONS = {
    "SYSTEM$SET_RETURN_VALUE": set_return_value,
    "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": get_predecessor_return_value,
    "SYSTEM$CURRENT_USER_TASK_NAME": current_user_task_name,
    "SYSTEM$TASK_RUNTIME_INFO": task_runtime_info,
    "SYSTEM$GET_TASK_GRAPH_CONFIG": get_task_graph_config,
    "SYSTEM$TASK_DEPENDENTS_ENABLE": task_dependents_enable,
    "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS": cancel_ongoing_executions,
}
