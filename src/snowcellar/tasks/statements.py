"""CREATE, ALTER, DROP and EXECUTE TASK.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task, .../alter-task, .../execute-task
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from fakesnow import statement_type

from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported
from snowcellar.names import NAME, QualifiedName, qualify
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.tasks import condition, graph, options, transitions
from snowcellar.tasks.clauses import Clauses, check_body, read_create, read_names, read_set
from snowcellar.tasks.options import Written
from snowcellar.tasks.scheduler import SUSPENDED_BY_USER
from snowcellar.tasks.task import Task, TaskError

_FLAGS = re.IGNORECASE | re.DOTALL
_CREATE = re.compile(
    rf"CREATE\s+(?:OR\s+(?P<replace>REPLACE|ALTER)\s+)?TASK\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?P<clauses>\s.*)\Z",
    _FLAGS,
)
_ALTER = re.compile(
    rf"ALTER\s+TASK\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+(?P<action>\w.*)\Z", _FLAGS
)
_DROP = re.compile(rf"DROP\s+TASK\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_EXECUTE = re.compile(
    rf"EXECUTE\s+TASK\s+(?P<name>{NAME})"
    r"(?:\s+USING\s+CONFIG\s*=\s*(?:'(?P<quoted>(?:[^']|'')*)'|\$\$(?P<dollars>.*?)\$\$))?"
    r"(?:\s+RETRY\s+(?:(?P<last>LAST)|GRAPH\s+RUN\s+GROUP\s+'(?P<group>[^']*)'))?\Z",
    _FLAGS,
)
_DONE = "Statement executed successfully."


def create_task(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE | OR ALTER] TASK: suspended, whatever it replaces."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    _require_schema(session, name)
    registry = session.warehouse.tasks
    replace = (match["replace"] or "").upper()
    with registry.lock:
        old = registry.tasks.get(name)
        clauses = read_create(match["clauses"])
        if old is not None and not replace:
            if match["exists"]:
                return _status(f"{name.name} already exists, statement succeeded.")
            raise ObjectExists(name.name)
        task = _task_of(session, name, clauses)
        if old is not None:
            graph.require_suspended(registry.tasks, old)
            if replace == "ALTER":
                task = _altered(old, task)
        graph.check(registry.tasks, task)
        for before in graph.parents(registry.tasks, task):
            graph.require_suspended(registry.tasks, before)
        if task.finalizes is not None:
            graph.require_suspended(registry.tasks, registry.find(task.sibling(task.finalizes)))
        registry.save(session.warehouse, task)
    return _status(f"Task {name.name} successfully created.")


def alter_task(session: Session, match: re.Match[str]) -> Result:
    """ALTER TASK ... RESUME | SUSPEND | SET | UNSET | ADD AFTER | REMOVE AFTER | MODIFY AS | MODIFY WHEN."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    registry = session.warehouse.tasks
    if name not in registry.tasks and match["exists"]:
        return _status(_DONE)
    registry.find(name)
    action = match["action"].strip()
    for pattern, alter in _ACTIONS:
        if found := re.match(pattern, action, _FLAGS):
            alter(session, name, action[found.end() :].strip())
            return _status(_DONE)
    raise Unsupported(f"ALTER TASK ... {' '.join(action.split()[:2])}")


def drop_task(session: Session, match: re.Match[str]) -> Result:
    """DROP TASK: the tasks after it lose it as a predecessor; one left with none is suspended."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    registry = session.warehouse.tasks
    with registry.lock:
        task = registry.tasks.get(name)
        if task is None:
            if match["exists"]:
                return _status(
                    "Drop statement executed successfully (object already dropped or not authorized)."
                )
            raise ObjectNotFound("Task", str(name))
        freed = [_without_predecessors(child, {name.name}) for child in graph.children(registry.tasks, task)]
        if last := graph.finalizer(registry.tasks, task):
            freed.append(dataclasses.replace(last, finalizes=None, started=False))
        if freed or not task.is_root:
            graph.require_suspended(registry.tasks, task)
        registry.remove(session.warehouse, task, *freed)
    return _status(f"{name.name} successfully dropped.")


def execute_task(session: Session, match: re.Match[str]) -> Result:
    """EXECUTE TASK: answers at once, the graph runs in the background (SEMANTICS 14)."""
    name = session.qualify(match["name"])
    config = match["quoted"].replace("''", "'") if match["quoted"] is not None else match["dollars"]
    if config is not None and session.warehouse.tasks.find(name).is_root:
        config = options.read_config("CONFIG", Written(config, quoted=True))
    transitions.execute(session, name, config, "LAST" if match["last"] else match["group"])
    return _status(f"Task {name.name} is scheduled to run immediately.")


def _require_schema(session: Session, name: QualifiedName) -> None:
    found = session.duck.execute(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [name.database, name.schema],
    ).fetchall()
    if not found:
        raise ObjectNotFound("Schema", f"{name.database}.{name.schema}")


def _task_of(session: Session, name: QualifiedName, clauses: Clauses) -> Task:
    settings, parameters = options.read(clauses.options)
    if clauses.condition is not None:
        condition.check(clauses.condition)
    return Task(
        name=name,
        task_id=str(uuid.uuid4()),
        owner=session.role,
        created_on=datetime.now(UTC),
        body=clauses.body or "",
        options=settings,
        parameters=parameters,
        predecessors=_predecessors(session, name, clauses.after),
        finalizes=_finalized(session, name, clauses.finalize),
        condition=clauses.condition,
    )


def _altered(old: Task, new: Task) -> Task:
    """CREATE OR ALTER: the new definition under the old identity and state."""
    keep = ("task_id", "owner", "created_on", "started", "resumed_on", "committed_on", "suspended_on")
    kept = {key: getattr(old, key) for key in (*keep, "suspended_reason", "failures", "graph_version")}
    return dataclasses.replace(new, **kept)


def _predecessors(session: Session, task: QualifiedName, names: tuple[str, ...]) -> tuple[str, ...]:
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


def _finalized(session: Session, task: QualifiedName, written: str | None) -> str | None:
    if written is None:
        return None
    name = qualify(written, task.database, task.schema)
    if name not in session.warehouse.tasks.tasks and name != task:
        raise TaskError(f"Invalid finalized root task {written} was specified.")
    if (name.database, name.schema) != (task.database, task.schema):
        raise TaskError(f"Cannot finalize graph {written} in a different schema.")
    return name.name


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
        finalizes = _finalized(session, name, clauses.finalize) if clauses.finalize else task.finalizes
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
        added = _predecessors(session, name, names)
        return dataclasses.replace(task, predecessors=tuple(dict.fromkeys((*task.predecessors, *added))))

    _change(session, name, change)


def _remove_after(session: Session, name: QualifiedName, rest: str) -> None:
    names = read_names(rest)

    def change(task: Task) -> Task:
        removed = {qualify(written, name.database, name.schema).name for written in names}
        for other in sorted(removed - set(task.predecessors)):
            raise TaskError(f"Task {name.name} does not have predecessor {other}.")
        return _without_predecessors(task, removed)

    _change(session, name, change)


def _without_predecessors(task: Task, removed: set[str]) -> Task:
    left = tuple(other for other in task.predecessors if other not in removed)
    if left:
        return dataclasses.replace(task, predecessors=left)
    return dataclasses.replace(task, predecessors=(), started=False, suspended_reason=SUSPENDED_BY_USER)


def _modify_as(session: Session, name: QualifiedName, rest: str) -> None:
    body = check_body(rest)
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


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


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
STATEMENTS = [(_CREATE, create_task), (_ALTER, alter_task), (_DROP, drop_task), (_EXECUTE, execute_task)]
