"""Where the pipeline stands: rows by layer, what waits in the streams, and what the tasks last did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor

from caves_snowpark import names

# Every count that `caves status` and `caves demo` show, under the name that their JSON uses.
COUNTED: Final = {
    "raw": names.RAW_EVENTS,
    "stg_orders": names.STG_ORDERS,
    "stg_inventory_adjustments": names.STG_INVENTORY_ADJUSTMENTS,
    "rejected": names.REJECTED_EVENTS,
    "duplicates": names.DUPLICATE_EVENTS,
    "orders": names.ORDERS,
    "inventory_history": names.INVENTORY_HISTORY,
    "inventory_current": names.INVENTORY_CURRENT,
}
_WAITING: Final = {name.partition(".")[2]: name for name in names.STREAMS}


@dataclass(frozen=True)
class TaskRun:
    """One line of TASK_HISTORY."""

    name: str
    state: str
    scheduled: datetime | None
    completed: datetime | None
    returned: str | None
    error: str | None

    @property
    def seconds(self) -> float | None:
        if self.scheduled is None or self.completed is None:
            return None
        return round((self.completed - self.scheduled).total_seconds(), 3)


@dataclass(frozen=True)
class TaskState:
    """One line of SHOW TASKS."""

    name: str
    state: str
    schedule: str | None


@dataclass(frozen=True)
class OpenAlert:
    """What an alert has found and is not over."""

    alert: str
    subject: str
    severity: str
    fired: datetime


def rows_by_layer(connection: SnowflakeConnection) -> dict[str, int]:
    """How many rows each table holds, in one statement."""
    return _counts(connection, COUNTED)


def rows_waiting(connection: SnowflakeConnection) -> dict[str, int]:
    """How many rows each stream holds; counting does not consume them."""
    return _counts(connection, _WAITING)


def _counts(connection: SnowflakeConnection, objects: Mapping[str, str]) -> dict[str, int]:
    # The names are the constants of names.py; nothing here comes from outside.
    counts = [f"SELECT '{label}', COUNT(*) FROM {name}" for label, name in objects.items()]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts))
        found = {str(label): int(count) for label, count in cursor.fetchall()}
    return {label: found[label] for label in objects}


def task_states(connection: SnowflakeConnection) -> list[TaskState]:
    """The tasks of the pipeline, the root first."""
    with connection.cursor(DictCursor) as cursor:
        cursor.execute(f"SHOW TASKS IN SCHEMA {names.RAW_DATA}")
        rows = cursor.fetchall()
    states = [TaskState(str(row["name"]), str(row["state"]), row["schedule"] or None) for row in rows]
    return sorted(states, key=lambda task: (task.schedule is None, task.name))


def task_runs(connection: SnowflakeConnection, limit: int = 100) -> list[TaskRun]:
    """The latest runs, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NAME, STATE, SCHEDULED_TIME, COMPLETED_TIME, RETURN_VALUE, ERROR_MESSAGE"
            " FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => %s)) WHERE STATE <> 'SCHEDULED'"
            " ORDER BY SCHEDULED_TIME DESC",
            (limit,),
        )
        return [TaskRun(*row) for row in cursor.fetchall()]


def open_alerts(connection: SnowflakeConnection) -> list[OpenAlert]:
    """What the alerts have found and is not over, the gravest and oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ALERT_NAME, SUBJECT, SEVERITY, FIRED_AT FROM {names.OPEN_ALERTS}"  # noqa: S608
            " ORDER BY SEVERITY, FIRED_AT, ALERT_NAME, SUBJECT"
        )
        return [OpenAlert(*row) for row in cursor.fetchall()]


def rejected_by_reason(connection: SnowflakeConnection) -> dict[str, int]:
    """How many rejected events carry each reason; one event may carry several."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT REASON.VALUE::VARCHAR AS REASON, COUNT(*) AS EVENTS"
            " FROM STAGING.REJECTED_EVENTS, LATERAL FLATTEN(INPUT => REASONS) AS REASON"
            " WHERE REPLAYED_AT IS NULL AND DISMISSED_AT IS NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return {str(reason): int(count) for reason, count in cursor.fetchall()}


def as_json(run: TaskRun) -> dict[str, Any]:
    return {
        "task": run.name,
        "state": run.state,
        "scheduled": run.scheduled,
        "seconds": run.seconds,
        "returned": run.returned,
        "error": run.error,
    }
