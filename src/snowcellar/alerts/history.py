"""The runs that TABLE(INFORMATION_SCHEMA.ALERT_HISTORY(...)) shows, kept in the file of the alerts' database.

Source: https://docs.snowflake.com/en/sql-reference/functions/alert_history
Runs older than a week go, as in Snowflake; of those that found nothing only the newest thousands stay,
because every tick leaves one.
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
CREATE TABLE IF NOT EXISTS {meta}.sc_alert_runs (
    run_key VARCHAR NOT NULL, alert_schema VARCHAR NOT NULL, alert_name VARCHAR NOT NULL,
    alert_id VARCHAR NOT NULL, condition VARCHAR NOT NULL, condition_query_id VARCHAR,
    action VARCHAR NOT NULL, action_query_id VARCHAR, state VARCHAR NOT NULL, error_code BIGINT,
    error_message VARCHAR, scheduled_time TIMESTAMPTZ NOT NULL, completed_time TIMESTAMPTZ,
    scheduled_from VARCHAR NOT NULL
);
"""

KEPT = timedelta(days=7)
KEPT_FALSE = 2000
_PRUNE_EVERY = 500

SCHEDULED, EXECUTING, FAILED, CANCELLED = "SCHEDULED", "EXECUTING", "FAILED", "CANCELLED"
CONDITION_FALSE, CONDITION_FAILED = "CONDITION_FALSE", "CONDITION_FAILED"
ACTION_FAILED, TRIGGERED = "ACTION_FAILED", "TRIGGERED"
SUCCESSFUL = (CONDITION_FALSE, TRIGGERED)

FROM_SCHEDULE, FROM_EXECUTE = "SCHEDULE", "EXECUTE ALERT"
INTERRUPTED = "The warehouse stopped while this alert ran; what it had not committed is undone."


@dataclass
class RunRow:
    """One row of sc_alert_runs."""

    run_key: str
    alert: QualifiedName
    alert_id: str
    condition: str
    action: str
    state: str
    scheduled_time: datetime
    scheduled_from: str
    condition_query_id: str | None = None
    action_query_id: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    completed_time: datetime | None = None

    def columns(self) -> dict[str, Any]:
        """The values by column."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        name = values.pop("alert")
        return {**values, "alert_schema": name.schema, "alert_name": name.name}


class AlertHistory:
    """Writes runs, one short transaction each, whatever the alerts themselves have open."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._written = 0

    def write(self, row: RunRow) -> None:
        """Insert a run, or bring its row up to date."""
        values, table = row.columns(), self._table(row.alert.database)
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
        table = self._table(database)
        with self._lock, self._warehouse.cursor() as duck:
            duck.execute(
                f"UPDATE {table} SET state = ?, error_code = 603, error_message = ?, completed_time = ? "
                "WHERE state IN (?, ?)",
                [FAILED, INTERRUPTED, datetime.now(UTC), SCHEDULED, EXECUTING],
            )
            self._prune(duck, table)

    def last_success(self, alert: QualifiedName, alert_id: str) -> datetime | None:
        """When the newest run of an alert that went well was scheduled."""
        with self._warehouse.cursor() as duck:
            duck.execute(
                f"SELECT max(scheduled_time) FROM {self._table(alert.database)} "
                "WHERE alert_id = ? AND state IN (?, ?)",
                [alert_id, *SUCCESSFUL],
            )
            ((time,),) = duck.fetchall()
            return None if time is None else time.astimezone(UTC)

    def _table(self, database: str) -> str:
        return f"{self._warehouse.meta(database)}.sc_alert_runs"

    @staticmethod
    def _prune(duck: Any, table: str) -> None:
        duck.execute(f"DELETE FROM {table} WHERE scheduled_time < ?", [datetime.now(UTC) - KEPT])
        false = f"FROM {table} WHERE state = '{CONDITION_FALSE}'"
        oldest_kept = f"SELECT scheduled_time {false} ORDER BY 1 DESC LIMIT 1 OFFSET {KEPT_FALSE - 1}"
        duck.execute(f"DELETE {false} AND scheduled_time < ({oldest_kept})")
