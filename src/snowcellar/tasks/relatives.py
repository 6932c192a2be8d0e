"""The relatives that a statement names, resolved to tasks of the same schema."""

from __future__ import annotations

import dataclasses

from snowcellar.names import QualifiedName, qualify
from snowcellar.session import Session
from snowcellar.tasks.task import SUSPENDED_BY_USER, Task, TaskError


def predecessors(session: Session, task: QualifiedName, names: tuple[str, ...]) -> tuple[str, ...]:
    """The predecessors' own names, each once; a name without a schema is one of the task's schema."""
    found: dict[str, None] = {}
    for written in names:
        name = qualify(written, task.database, task.schema)
        if name not in session.warehouse.tasks.tasks and name != task:
            raise TaskError(f"Invalid predecessor {written} was specified.")
        if (name.database, name.schema) != (task.database, task.schema):
            raise TaskError(f"Cannot have predecessor {name.name} from a different schema.")
        found[name.name] = None
    return tuple(found)


def finalized(session: Session, task: QualifiedName, written: str | None) -> str | None:
    """The own name of the root that a task finalizes."""
    if written is None:
        return None
    name = qualify(written, task.database, task.schema)
    if name not in session.warehouse.tasks.tasks and name != task:
        raise TaskError(f"Invalid finalized root task {written} was specified.")
    if (name.database, name.schema) != (task.database, task.schema):
        raise TaskError(f"Cannot finalize graph {written} in a different schema.")
    return name.name


def without_predecessors(task: Task, removed: set[str]) -> Task:
    """The task with predecessors taken away; one left with none is suspended, for it has no clock."""
    left = tuple(other for other in task.predecessors if other not in removed)
    if left:
        return dataclasses.replace(task, predecessors=left)
    return dataclasses.replace(task, predecessors=(), started=False, suspended_reason=SUSPENDED_BY_USER)
