"""ALTER TASK.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-task
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from fakesnow import statement_type

from snowcellar.clause_reader import check_body
from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import NAME, QualifiedName, qualify
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.tasks import condition, graph, options, transitions
from snowcellar.tasks.clauses import read_names, read_set
from snowcellar.tasks.relatives import finalized, predecessors, without_predecessors
from snowcellar.tasks.task import Task, TaskError

_FLAGS = re.IGNORECASE | re.DOTALL
_ALTER = re.compile(
    rf"ALTER\s+TASK\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+(?P<action>\w.*)\Z", _FLAGS
)
_DONE = "Statement executed successfully."


def alter_task(session: Session, match: re.Match[str]) -> Result:
    """ALTER TASK ... RESUME | SUSPEND | SET | UNSET | ADD AFTER | REMOVE AFTER | MODIFY AS | MODIFY WHEN."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    registry = session.warehouse.tasks
    if name not in registry.tasks and match["exists"]:
        return Result.status(_DONE, statement_type.DDL)
    registry.find(name)
    action = match["action"].strip()
    for pattern, alter in _ACTIONS:
        if found := re.match(pattern, action, _FLAGS):
            alter(session, name, action[found.end() :].strip())
            return Result.status(_DONE, statement_type.DDL)
    raise Unsupported(f"ALTER TASK ... {' '.join(action.split()[:2])}")


def _change(session: Session, name: QualifiedName, change: Callable[[Task], Task]) -> None:
    """Change a task whose graph is suspended, if the graph can hold what it becomes."""
    registry = session.warehouse.tasks
    with registry.lock:
        old = registry.find(name)
        graph.require_suspended(registry.tasks, old)
        new = change(old)
        graph.check(registry.tasks, new)
        for root in graph.roots({**registry.tasks, name: new}, new):
            if root.started and root.name != name:
                graph.require_suspended(registry.tasks, root)
        registry.save(session.warehouse, new)


def _resume(session: Session, name: QualifiedName, rest: str) -> None:
    _nothing_after(rest)
    transitions.resume(session, name)


def _suspend(session: Session, name: QualifiedName, rest: str) -> None:
    _nothing_after(rest)
    transitions.suspend(session, name)


def _set(session: Session, name: QualifiedName, rest: str) -> None:
    clauses = read_set(rest)
    settings, parameters = options.read(clauses.options)
    if not (clauses.options or clauses.finalize):
        raise CompilationError("syntax error: unexpected '<EOF>'.")

    def change(task: Task) -> Task:
        finalizes = finalized(session, name, clauses.finalize) if clauses.finalize else task.finalizes
        return dataclasses.replace(
            task,
            options={**task.options, **settings},
            parameters={**task.parameters, **parameters},
            finalizes=finalizes,
        )

    _change(session, name, change)


def _unset(session: Session, name: QualifiedName, rest: str) -> None:
    keys = {key.strip().upper() for key in rest.split(",")}
    options.check_names(keys - {"FINALIZE"})
    if "ALLOW_OVERLAPPING_EXECUTION" in keys:
        keys.add("OVERLAP_POLICY")

    def change(task: Task) -> Task:
        return dataclasses.replace(
            task,
            options={key: value for key, value in task.options.items() if key not in keys},
            parameters={key: value for key, value in task.parameters.items() if key not in keys},
            finalizes=None if "FINALIZE" in keys else task.finalizes,
        )

    _change(session, name, change)


def _add_after(session: Session, name: QualifiedName, rest: str) -> None:
    names = read_names(rest)

    def change(task: Task) -> Task:
        added = predecessors(session, name, names)
        return dataclasses.replace(task, predecessors=tuple(dict.fromkeys((*task.predecessors, *added))))

    _change(session, name, change)


def _remove_after(session: Session, name: QualifiedName, rest: str) -> None:
    names = read_names(rest)

    def change(task: Task) -> Task:
        removed = {qualify(written, name.database, name.schema).name for written in names}
        for other in sorted(removed - set(task.predecessors)):
            raise TaskError(f"Task {name.name} does not have predecessor {other}.")
        return without_predecessors(task, removed)

    _change(session, name, change)


def _modify_as(session: Session, name: QualifiedName, rest: str) -> None:
    body = check_body(rest, "task")
    _change(session, name, lambda task: dataclasses.replace(task, body=body))


def _modify_when(session: Session, name: QualifiedName, rest: str) -> None:
    condition.check(rest)
    _change(session, name, lambda task: dataclasses.replace(task, condition=rest))


def _remove_when(session: Session, name: QualifiedName, rest: str) -> None:
    _nothing_after(rest)
    _change(session, name, lambda task: dataclasses.replace(task, condition=None))


def _nothing_after(rest: str) -> None:
    if rest:
        raise CompilationError(f"syntax error: unexpected '{rest.split()[0]}'.")


_ACTIONS: tuple[tuple[str, Callable[[Session, QualifiedName, str], None]], ...] = (
    (r"RESUME\b", _resume),
    (r"SUSPEND\b", _suspend),
    (r"SET\b", _set),
    (r"UNSET\b(?!\s+(?:TAG|CONTACT)\b)", _unset),
    (r"ADD\s+AFTER\b", _add_after),
    (r"REMOVE\s+AFTER\b", _remove_after),
    (r"REMOVE\s+WHEN\b", _remove_when),
    (r"MODIFY\s+AS\b", _modify_as),
    (r"MODIFY\s+WHEN\b", _modify_when),
)
STATEMENTS = [(_ALTER, alter_task)]
