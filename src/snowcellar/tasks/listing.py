"""SHOW TASKS and DESCRIBE TASK.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-tasks (SEMANTICS 21)
"""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa

from snowcellar import show
from snowcellar.grants.visibility import owner_of, seen
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.tasks import graph
from snowcellar.tasks.task import Task

_SHOW = re.compile(r"SHOW\s+(?P<terse>TERSE\s+)?TASKS\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_ROOT_ONLY = re.compile(r"\bROOT\s+ONLY\b", re.IGNORECASE)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+TASK\s+(?P<name>{NAME})\Z", re.IGNORECASE)

_INSTANTS = ("created_on", "last_committed_on", "last_suspended_on")
_NAMES = (
    *(
        "created_on",
        "name",
        "id",
        "database_name",
        "schema_name",
        "owner",
        "comment",
        "warehouse",
        "schedule",
    ),
    *("scheduling_mode", "target_completion_interval", "predecessors", "state", "definition", "condition"),
    *("allow_overlapping_execution", "error_integration", "success_integration", "last_committed_on"),
    *("last_suspended_on", "owner_role_type", "config", "budget", "last_suspended_reason", "task_relations"),
    *("execute_as_user", "overlap_policy"),
)
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name", "schedule", "state")


def show_tasks(session: Session, match: re.Match[str]) -> Result:
    """SHOW [TERSE] TASKS with LIKE, IN, STARTS WITH, ROOT ONLY and LIMIT."""
    rest, root_only = _ROOT_ONLY.subn("", match["rest"])
    known = session.warehouse.tasks.tasks
    tasks = [known[name] for name in sorted(seen(session, "TASK", list(known)))]
    names = _TERSE if match["terse"] else _NAMES
    rows = [_row(session, task, names) for task in tasks if task.is_root or not root_only]
    return show.answer(session, rest, _columns(names), rows)


def describe_task(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE TASK: the row of SHOW TASKS."""
    task = session.warehouse.tasks.find(session.qualify(match["name"]))
    return Result.rows(_columns(_NAMES), [_row(session, task, _NAMES)])


def _columns(names: tuple[str, ...]) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.timestamp("us", "UTC") if name in _INSTANTS else pa.string()) for name in names]


def _row(session: Session, task: Task, names: tuple[str, ...]) -> list[Any]:
    values = _values(session, task)
    return [values.get(name) for name in names]


def _values(session: Session, task: Task) -> dict[str, Any]:
    predecessors = [str(task.sibling(name)) for name in task.predecessors]
    return {
        "created_on": task.created_on,
        "name": task.name.name,
        "kind": "TASK",
        "id": task.task_id,
        "database_name": task.name.database,
        "schema_name": task.name.schema,
        "owner": owner_of(session, "TASK", task.name),
        "comment": task.comment,
        "warehouse": task.warehouse,
        "schedule": task.schedule,
        "scheduling_mode": "FIXED" if task.schedule else None,
        "predecessors": json.dumps(predecessors),
        "state": "started" if task.started else "suspended",
        "definition": task.body,
        "condition": task.condition,
        "allow_overlapping_execution": str(task.overlap_policy == "ALLOW_CHILD_OVERLAP").lower()
        if task.is_root
        else "null",
        "last_committed_on": task.committed_on,
        "last_suspended_on": task.suspended_on,
        "owner_role_type": "ROLE",
        "config": task.config,
        "last_suspended_reason": task.suspended_reason,
        "task_relations": json.dumps(_relations(session, task, predecessors), separators=(",", ":")),
        "overlap_policy": task.overlap_policy if task.is_root else None,
    }


def _relations(session: Session, task: Task, predecessors: list[str]) -> dict[str, Any]:
    finalized = {"FinalizedRootTask": str(task.sibling(task.finalizes))} if task.finalizes else {}
    last = graph.finalizer(session.warehouse.tasks.tasks, task)
    return {**finalized, "Predecessors": predecessors, **({"FinalizerTask": str(last.name)} if last else {})}


STATEMENTS = [(_SHOW, show_tasks), (_DESCRIBE, describe_task)]
