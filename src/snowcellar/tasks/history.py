"""The runs that TABLE(INFORMATION_SCHEMA.TASK_HISTORY(...)) shows, kept in the file of the tasks' database.

Source: https://docs.snowflake.com/en/sql-reference/functions/task_history (SEMANTICS 22)
Runs older than a week go, as in Snowflake; of skipped runs only the newest thousands stay, because a
schedule that finds nothing to do leaves one a tick.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from snowcellar.names import QualifiedName

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_task_runs (
    run_key VARCHAR NOT NULL, task_schema VARCHAR NOT NULL, task_name VARCHAR NOT NULL, query_id VARCHAR,
    query_text VARCHAR NOT NULL, condition_text VARCHAR, state VARCHAR NOT NULL, error_code VARCHAR,
    error_message VARCHAR, scheduled_time TIMESTAMPTZ NOT NULL, query_start_time TIMESTAMPTZ,
    next_scheduled_time TIMESTAMPTZ, completed_time TIMESTAMPTZ, root_task_id VARCHAR NOT NULL,
    graph_version BIGINT NOT NULL, run_id BIGINT NOT NULL, return_value VARCHAR,
    scheduled_from VARCHAR NOT NULL, attempt_number BIGINT NOT NULL, config VARCHAR,
    graph_run_group_id VARCHAR NOT NULL
);
"""

KEPT = timedelta(days=7)
KEPT_SKIPPED = 2000
_PRUNE_EVERY = 500

SCHEDULED, EXECUTING, SUCCEEDED = "SCHEDULED", "EXECUTING", "SUCCEEDED"
FAILED, AUTO_SUSPENDED, CANCELLED, SKIPPED = "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"
UNFINISHED = (SCHEDULED, EXECUTING)
FAILURES = (FAILED, AUTO_SUSPENDED)

INTERRUPTED = "The warehouse stopped while this task ran; what it had not committed is undone."


@dataclass
class RunRow:
    """One row of sc_task_runs."""

    run_key: str
    task: QualifiedName
    query_text: str
    condition_text: str | None
    state: str
    scheduled_time: datetime
    root_task_id: str
    graph_version: int
    run_id: int
    scheduled_from: str
    attempt_number: int
    graph_run_group_id: str
    config: str | None = None
    query_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    query_start_time: datetime | None = None
    next_scheduled_time: datetime | None = None
    completed_time: datetime | None = None
    return_value: str | None = None

    def columns(self) -> dict[str, Any]:
        """The values by column."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        name = values.pop("task")
        return {**values, "task_schema": name.schema, "task_name": name.name}


class TaskHistory:
    """Writes runs, one short transaction each, whatever the tasks themselves have open."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._written = 0

    def write(self, row: RunRow) -> None:
        """Insert a run, or bring its row up to date."""
        values = row.columns()
        table = f"{self._warehouse.meta(row.task.database)}.sc_task_runs"
        with self._lock, self._warehouse.cursor() as duck:
            duck.execute("BEGIN TRANSACTION")
            duck.execute(f"DELETE FROM {table} WHERE run_key = ?", [row.run_key])
            marks = ", ".join("?" for _ in values)
            duck.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
            self._written += 1
            if self._written % _PRUNE_EVERY == 0:
                self._prune(duck, table)
            duck.execute("COMMIT")

    def recover(self, database: str) -> None:
        """Say of the runs that a stopped warehouse left unfinished that they failed."""
        table = f"{self._warehouse.meta(database)}.sc_task_runs"
        with self._lock, self._warehouse.cursor() as duck:
            duck.execute(
                f"UPDATE {table} SET state = ?, error_code = '000603', error_message = ?, completed_time = ? "
                "WHERE state IN (?, ?)",
                [FAILED, INTERRUPTED, datetime.now(UTC), *UNFINISHED],
            )
            self._prune(duck, table)

    def runs_of_group(self, database: str, group: str) -> list[dict[str, Any]]:
        """The runs of a graph run and its retries, oldest first."""
        return self._select(
            database, "graph_run_group_id = ? ORDER BY attempt_number, query_start_time", [group]
        )

    def last_group(self, database: str, root_task_id: str) -> str | None:
        """The newest graph run of a root that was not skipped."""
        condition = "root_task_id = ? AND state <> ? ORDER BY scheduled_time DESC LIMIT 1"
        rows = self._select(database, condition, [root_task_id, SKIPPED])
        return rows[0]["graph_run_group_id"] if rows else None

    def last_success(
        self, database: str, root: QualifiedName, root_task_id: str, before: int
    ) -> tuple[str, int] | None:
        """(group, run id) of the newest graph run before another in which the root ran and nothing failed."""
        condition = (
            "root_task_id = ? AND run_id < ? GROUP BY ALL "
            "HAVING bool_or(state = 'SUCCEEDED' AND task_name = ?) "
            "AND NOT bool_or(state NOT IN ('SUCCEEDED', 'SKIPPED')) ORDER BY run_id DESC LIMIT 1"
        )
        rows = self._select(
            database, condition, [root_task_id, before, root.name], columns="graph_run_group_id, run_id"
        )
        return (rows[0]["graph_run_group_id"], rows[0]["run_id"]) if rows else None

    def _select(
        self, database: str, condition: str, values: list[Any], columns: str = "*"
    ) -> list[dict[str, Any]]:
        table = f"{self._warehouse.meta(database)}.sc_task_runs"
        with self._warehouse.cursor() as duck:
            duck.execute(f"SELECT {columns} FROM {table} WHERE {condition}", values)
            names = [column[0] for column in duck.description or []]
            return [dict(zip(names, row, strict=True)) for row in duck.fetchall()]

    @staticmethod
    def _prune(duck: Any, table: str) -> None:
        duck.execute(f"DELETE FROM {table} WHERE scheduled_time < ?", [datetime.now(UTC) - KEPT])
        skipped = f"FROM {table} WHERE state = '{SKIPPED}'"
        oldest_kept = f"SELECT scheduled_time {skipped} ORDER BY 1 DESC LIMIT 1 OFFSET {KEPT_SKIPPED - 1}"
        duck.execute(f"DELETE {skipped} AND scheduled_time < ({oldest_kept})")
