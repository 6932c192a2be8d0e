"""CREATE, DROP and EXECUTE TASK.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task, .../drop-task, .../execute-task
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from datetime import UTC, datetime

from fakesnow import statement_type

from snowcellar.clause_reader import Written
from snowcellar.errors import ObjectExists, ObjectNotFound
from snowcellar.names import NAME, QualifiedName
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.tasks import condition, graph, options, transitions
from snowcellar.tasks.clauses import Clauses, read_create
from snowcellar.tasks.relatives import finalized, predecessors, without_predecessors
from snowcellar.tasks.task import Task

_FLAGS = re.IGNORECASE | re.DOTALL
_CREATE = re.compile(
    rf"CREATE\s+(?:OR\s+(?P<replace>REPLACE|ALTER)\s+)?TASK\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?P<clauses>\s.*)\Z",
    _FLAGS,
)
_DROP = re.compile(rf"DROP\s+TASK\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_EXECUTE = re.compile(
    rf"EXECUTE\s+TASK\s+(?P<name>{NAME})"
    r"(?:\s+USING\s+CONFIG\s*=\s*(?:'(?P<quoted>(?:[^']|'')*)'|\$\$(?P<dollars>.*?)\$\$))?"
    r"(?:\s+RETRY\s+(?:(?P<last>LAST)|GRAPH\s+RUN\s+GROUP\s+'(?P<group>[^']*)'))?\Z",
    _FLAGS,
)


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
        freed = [without_predecessors(child, {name.name}) for child in graph.children(registry.tasks, task)]
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
        predecessors=predecessors(session, name, clauses.after),
        finalizes=finalized(session, name, clauses.finalize),
        condition=clauses.condition,
    )


def _altered(old: Task, new: Task) -> Task:
    """CREATE OR ALTER: the new definition under the old identity and state."""
    keep = ("task_id", "owner", "created_on", "started", "resumed_on", "committed_on", "suspended_on")
    kept = {key: getattr(old, key) for key in (*keep, "suspended_reason", "failures", "graph_version")}
    return dataclasses.replace(new, **kept)


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [(_CREATE, create_task), (_DROP, drop_task), (_EXECUTE, execute_task)]
