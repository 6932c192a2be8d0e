"""Where the pipeline stands: rows by layer, what waits in the streams, what tasks, alerts and ingest did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
# The stream that each task empties, by their names without the schema.
TASK_STREAMS: Final = {
    task.partition(".")[2]: stream.partition(".")[2]
    for task, stream in (
        (names.ROOT_TASK, names.STREAM_RAW_EVENTS),
        (names.TASK_ORDERS, names.STREAM_STG_ORDERS),
        (names.TASK_INVENTORY_HISTORY, names.STREAM_STG_INVENTORY_FOR_HISTORY),
        (names.TASK_INVENTORY_CURRENT, names.STREAM_STG_INVENTORY_FOR_CURRENT),
    )
}
_LATEST_RUNS: Final = 10


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


@dataclass(frozen=True)
class LoadedUpTo:
    """How far one partition of a topic has been loaded."""

    topic: str
    partition: int
    next_offset: int
    updated: datetime


@dataclass(frozen=True)
class Overview:
    """Everything that `caves status` shows, as it was at one time."""

    at: datetime
    rows: dict[str, int]
    waiting: dict[str, int]
    tasks: list[TaskState]
    runs: list[TaskRun]
    alerts: list[OpenAlert]
    loaded: list[LoadedUpTo]

    def last_run(self, task: str) -> TaskRun | None:
        return next((run for run in self.runs if run.name == task), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "rows": self.rows,
            "waiting": self.waiting,
            "tasks": [
                {"task": task.name, "state": task.state, "schedule": task.schedule} for task in self.tasks
            ],
            "runs": [as_json(run) for run in self.runs[:_LATEST_RUNS]],
            "alerts": [vars(alert) for alert in self.alerts],
        }


def look(connection: SnowflakeConnection) -> Overview:
    """Everything, asked in a row."""
    return Overview(
        at=datetime.now().astimezone(),
        rows=rows_by_layer(connection),
        waiting=rows_waiting(connection),
        tasks=task_states(connection),
        runs=task_runs(connection),
        alerts=open_alerts(connection),
        loaded=loaded_up_to(connection),
    )


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


def task_runs(
    connection: SnowflakeConnection, limit: int = 100, *, skipped_too: bool = False
) -> list[TaskRun]:
    """The latest runs, newest first; most ticks find nothing to do, are skipped, and left out here."""
    left_out = ["SCHEDULED", *([] if skipped_too else ["SKIPPED"])]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NAME, STATE, SCHEDULED_TIME, COMPLETED_TIME, RETURN_VALUE, ERROR_MESSAGE"
            " FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000))"
            " WHERE STATE NOT IN (%s) ORDER BY SCHEDULED_TIME DESC LIMIT %s",
            (left_out, limit),
        )
        return [TaskRun(*row) for row in cursor.fetchall()]


def open_alerts(connection: SnowflakeConnection) -> list[OpenAlert]:
    """What the alerts have found and is not over, the gravest and newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ALERT_NAME, SUBJECT, SEVERITY, FIRED_AT FROM {names.OPEN_ALERTS}"  # noqa: S608
            " ORDER BY SEVERITY, FIRED_AT DESC, ALERT_NAME, SUBJECT"
        )
        return [OpenAlert(*row) for row in cursor.fetchall()]


def loaded_up_to(connection: SnowflakeConnection) -> list[LoadedUpTo]:
    """How far the ingestor has come, by topic and partition; times are UTC."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT TOPIC, PARTITION, NEXT_OFFSET, UPDATED_AT FROM {names.KAFKA_OFFSETS}"  # noqa: S608
            " ORDER BY TOPIC, PARTITION"
        )
        return [
            LoadedUpTo(str(topic), int(partition), int(offset), updated.replace(tzinfo=UTC))
            for topic, partition, offset, updated in cursor.fetchall()
        ]


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
