"""Graphs of tasks: predecessors, children, roots, and the rules that Snowflake keeps.

Source: https://docs.snowflake.com/en/user-guide/tasks-graphs (SEMANTICS 11, 13, 19)
"""

from __future__ import annotations

from collections.abc import Mapping

from snowcellar.errors import Unsupported
from snowcellar.names import QualifiedName
from snowcellar.tasks.task import RootNotSuspended, Task, TaskError

MAXIMUM_TASKS = 1000
MAXIMUM_RELATIVES = 100

Tasks = Mapping[QualifiedName, Task]


def parents(tasks: Tasks, task: Task) -> list[Task]:
    """The task's predecessors."""
    return [tasks[task.sibling(name)] for name in task.predecessors if task.sibling(name) in tasks]


def children(tasks: Tasks, task: Task) -> list[Task]:
    """The tasks that run after this one, by name."""
    return sorted(
        (
            other
            for other in tasks.values()
            if _same_schema(task, other) and task.name.name in other.predecessors
        ),
        key=lambda other: other.name,
    )


def finalizer(tasks: Tasks, root: Task) -> Task | None:
    """The task that runs when the root's graph has ended."""
    for other in tasks.values():
        if _same_schema(root, other) and other.finalizes == root.name.name:
            return other
    return None


def roots(tasks: Tasks, task: Task) -> list[Task]:
    """The roots of the graphs that the task is in: itself, if it has no predecessor and finalizes none."""
    if task.finalizes is not None:
        root = tasks.get(task.sibling(task.finalizes))
        return [root] if root else [task]
    found: dict[QualifiedName, Task] = {}
    queue, seen = [task], set()
    while queue:
        current = queue.pop()
        if current.name in seen:
            continue
        seen.add(current.name)
        above = parents(tasks, current)
        queue.extend(above)
        if not above:
            found[current.name] = current
    return list(found.values())


def descendants(tasks: Tasks, root: Task) -> list[Task]:
    """All tasks below a root, each after its predecessors; no finalizer."""
    ordered: dict[QualifiedName, Task] = {}
    level = [root]
    while level:
        below = {child.name: child for task in level for child in children(tasks, task)}
        for name, child in below.items():
            ordered.pop(name, None)
            ordered[name] = child
        level = list(below.values())
    return list(ordered.values())


def members(tasks: Tasks, root: Task) -> list[Task]:
    """The root, its descendants and its finalizer."""
    last = finalizer(tasks, root)
    return [root, *descendants(tasks, root), *([last] if last else [])]


def require_suspended(tasks: Tasks, task: Task) -> None:
    """Refuse to change a graph while its root task is started (SEMANTICS 13)."""
    for root in roots(tasks, task):
        if root.started:
            raise RootNotSuspended(root.name)


def check(tasks: Tasks, task: Task) -> None:
    """Refuse a task that its graph cannot hold; `tasks` are those there are, the task's old self included."""
    others = {name: other for name, other in tasks.items() if name != task.name}
    _check_properties(task)
    if task.finalizes is not None:
        _check_finalizer(others, task)
    if task.predecessors:
        _check_predecessors(others, task)
    _check_size({**others, task.name: task}, task)


def _check_properties(task: Task) -> None:
    name, short = task.name, task.name.name
    if task.predecessors and task.schedule is not None:
        raise TaskError(f"Task {short} cannot have both a schedule and a predecessor.")
    if task.finalizes is not None and task.schedule is not None:
        raise TaskError(f"Task {short} cannot have a schedule and be a finalizer task.")
    if task.finalizes is not None and task.predecessors:
        raise TaskError(f"Task {name} cannot have predecessors as a finalizer task.")
    if task.is_root:
        return
    if task.config is not None:
        raise TaskError(f"Task {name} cannot both be a non-root task and have a config.")
    if "OVERLAP_POLICY" in task.options and task.overlap_policy != "NO_OVERLAP":
        raise TaskError(f"Cannot set overlap policy on non-root task {name}.")
    for key in ("TASK_AUTO_RETRY_ATTEMPTS", "SUSPEND_TASK_AFTER_NUM_FAILURES"):
        if key in task.options:
            raise TaskError(
                f"Cannot set parameter {key} on non-root task {short}. Non-root tasks use the parameter "
                "setting from their root task. Please set this on the root task for this task instead."
            )


def _check_finalizer(others: Tasks, task: Task) -> None:
    target = str(task.finalizes)
    root = others.get(task.sibling(target))
    if target == task.name.name:
        raise TaskError(f"Task {target} cannot finalize itself.")
    if children(others, task):
        raise TaskError(f"Task {task.name} cannot have children as a finalizer task.")
    if root is None:
        raise TaskError(f"Invalid finalized root task {target} was specified.")
    if not root.is_root:
        raise TaskError(f"Task {task.name} cannot finalize a non-root task {root.name}.")
    if finalizer(others, root) is not None:
        raise TaskError(f"Finalize target {target} already have finalizer.")


def _check_predecessors(others: Tasks, task: Task) -> None:
    for name in task.predecessors:
        if name == task.name.name:
            raise TaskError(f"Task {name} cannot use itself as its predecessor.")
        before = others.get(task.sibling(name))
        if before is None:
            raise TaskError(f"Invalid predecessor {name} was specified.")
        if before.finalizes is not None:
            raise TaskError(f"Task {before.name} cannot have children as a finalizer task.")
    if finalizer(others, task) is not None:
        raise TaskError(
            "This task has a finalizer and cannot be made a child task. "
            "Please remove the finalizer before adding a predecessor."
        )
    below = {other.name for other in descendants(others, task)}
    for before in parents(others, task):
        if before.name in below:
            raise TaskError(f"Task {task.name} cannot run after {before.name}, which runs after it.")
    above = {root.name for before in parents(others, task) for root in roots(others, before)}
    if len(above) > 1:
        raise Unsupported(f"a task in two graphs ({' and '.join(str(name) for name in sorted(above))})")


def _check_size(tasks: Tasks, task: Task) -> None:
    if len(task.predecessors) > MAXIMUM_RELATIVES:
        raise TaskError(f"Task {task.name} cannot have more than {MAXIMUM_RELATIVES} predecessors.")
    for before in parents(tasks, task):
        if len(children(tasks, before)) > MAXIMUM_RELATIVES:
            raise TaskError(f"Task {before.name} cannot have more than {MAXIMUM_RELATIVES} child tasks.")
    for root in roots(tasks, task):
        if len(members(tasks, root)) > MAXIMUM_TASKS:
            raise TaskError(
                f"The graph of root task {root.name} cannot have more than {MAXIMUM_TASKS} tasks."
            )


def _same_schema(task: Task, other: Task) -> bool:
    return (task.name.database, task.name.schema) == (other.name.database, other.name.schema)
