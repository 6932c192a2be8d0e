"""Which tasks there are: in memory, and in the file of the database they belong to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from snowcellar.errors import ObjectNotFound
from snowcellar.names import QualifiedName
from snowcellar.tasks.history import TaskHistory
from snowcellar.tasks.task import Task

if TYPE_CHECKING:
    from snowcellar.tasks.scheduler import Scheduler
    from snowcellar.warehouse import Warehouse

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_tasks (
    task_schema VARCHAR NOT NULL, task_name VARCHAR NOT NULL, definition VARCHAR NOT NULL
);
"""


class TaskRegistry:
    """All tasks of a warehouse; the rows on disk are the truth at start.

    `lock` is held from the check of a graph to the change that the check allowed. `tasks` is replaced, never
    changed, so the scheduler reads it without the lock.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.history = TaskHistory(warehouse)
        self.lock = threading.RLock()
        self.tasks: dict[QualifiedName, Task] = {}
        self.scheduler: Scheduler | None = None

    def load(self, warehouse: Warehouse, database: str) -> None:
        """Read a database's tasks from its file."""
        with warehouse.cursor() as duck:
            rows = duck.execute(f"SELECT * FROM {warehouse.meta(database)}.sc_tasks").fetchall()
        names = [QualifiedName(database, schema, name) for schema, name, _ in rows]
        with self.lock:
            self.forget(database)
            loaded = {name: Task.from_json(name, row[2]) for name, row in zip(names, rows, strict=True)}
            self.tasks = {**self.tasks, **loaded}

    def forget(self, database: str) -> None:
        """Drop a database's tasks from memory."""
        with self.lock:
            self.tasks = {name: task for name, task in self.tasks.items() if name.database != database}

    def drop_schema(self, warehouse: Warehouse, database: str, schema: str) -> None:
        """Forget the tasks of a schema, on disk too."""
        with self.lock:
            gone = [
                task
                for name, task in self.tasks.items()
                if (name.database, name.schema) == (database, schema)
            ]
            self._write(warehouse, gone, keep=False)

    def find(self, name: QualifiedName) -> Task:
        """The task of that name."""
        task = self.tasks.get(name)
        if task is None:
            raise ObjectNotFound("Task", str(name))
        return task

    def started_roots(self) -> list[Task]:
        """The tasks that start graphs, be they of one task."""
        return [task for task in self.tasks.values() if task.is_root and task.started]

    def save(self, warehouse: Warehouse, *tasks: Task) -> None:
        """Keep tasks, new or changed: all of them or none."""
        self._write(warehouse, tasks, keep=True)

    def remove(self, warehouse: Warehouse, task: Task, *changed: Task) -> None:
        """Forget a task and keep what changed with it."""
        self._write(warehouse, [task], keep=False)
        self.save(warehouse, *changed)

    def _write(self, warehouse: Warehouse, tasks: tuple[Task, ...] | list[Task], *, keep: bool) -> None:
        with self.lock, warehouse.cursor() as duck:
            duck.execute("BEGIN TRANSACTION")
            for task in tasks:
                table = f"{warehouse.meta(task.name.database)}.sc_tasks"
                key = [task.name.schema, task.name.name]
                duck.execute(f"DELETE FROM {table} WHERE task_schema = ? AND task_name = ?", key)
                if keep:
                    duck.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", [*key, task.to_json()])
            duck.execute("COMMIT")
            others = {
                name: task for name, task in self.tasks.items() if name not in {task.name for task in tasks}
            }
            self.tasks = {**others, **{task.name: task for task in tasks}} if keep else others
        if self.scheduler is not None:
            self.scheduler.notify()
