"""One run of an alert: its session, its condition, perhaps its action, its row in the history."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from snowcellar.alerts import context, history
from snowcellar.alerts.alert import Alert
from snowcellar.alerts.history import RunRow
from snowcellar.errors import WarehouseError, as_warehouse_error
from snowcellar.grants.database_roles import require_alert_viewer
from snowcellar.grants.executions import alert_owner, require_alert_may_run

if TYPE_CHECKING:
    from snowcellar.result import Result
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)


class AlertRun:
    """An alert that is being looked at; `run` blocks until it is over."""

    def __init__(
        self, warehouse: Warehouse, alert: Alert, scheduled_time: datetime, scheduled_from: str
    ) -> None:
        self.alert = alert
        self._warehouse = warehouse
        self._session: Session | None = None
        self._cancellation: WarehouseError | None = None
        self._row = RunRow(
            run_key=str(uuid.uuid4()),
            alert=alert.name,
            alert_id=alert.alert_id,
            condition=alert.condition,
            action=alert.action,
            state=history.EXECUTING,
            scheduled_time=scheduled_time,
            scheduled_from=scheduled_from,
        )

    def run(self) -> str:
        """Run the alert in a session of its own and answer with the state that it ended in."""
        alert, last_success = self.alert, None
        session = self._warehouse.open_session(
            alert.name.database, alert.name.schema, user="SYSTEM", role=alert_owner(self._warehouse, alert)
        )
        session.virtual_warehouse = alert.warehouse
        session.executes_as_role = True
        self._session = session
        self._write()
        step = history.FAILED
        try:
            last_success = self._warehouse.alerts.history.last_success(alert.name, alert.alert_id)

            def execute(sql: str) -> Result:
                self._require_running()
                if context.asks_for_condition(sql):
                    require_alert_viewer(self._warehouse, session.role)
                return session.execute(
                    context.write_out(
                        sql, self._row.scheduled_time, last_success, self._row.condition_query_id
                    )
                )

            step = history.CONDITION_FAILED
            require_alert_may_run(self._warehouse, alert)
            found = self._look(session, execute)
            if found:
                step = history.ACTION_FAILED
                self._act(session, execute)
            self._finish(history.TRIGGERED if found else history.CONDITION_FALSE)
        except Exception as error:
            self._record_failure(step, as_warehouse_error(error))
        finally:
            self._session = None
            self._warehouse.close_session(session)
        return self._row.state

    def cancel(self, error: WarehouseError) -> None:
        """Stop the run: interrupt its statement and begin no other."""
        self._cancellation = error
        if (session := self._session) is not None:
            session.interrupt()

    def _look(self, session: Session, execute: Callable[[str], Result]) -> bool:
        try:
            return bool(execute(self.alert.condition).table.num_rows)
        finally:
            self._row.condition_query_id = session.last_query_id

    def _act(self, session: Session, execute: Callable[[str], Result]) -> None:
        self._write()
        try:
            execute(self.alert.action)
        finally:
            self._row.action_query_id = session.last_query_id
        if session.connection.transaction is not None:
            raise WarehouseError("The alert left a transaction open; it is rolled back.", 90232, "25001")

    def _require_running(self) -> None:
        if self._cancellation is not None:
            raise self._cancellation

    def _record_failure(self, state: str, error: WarehouseError) -> None:
        if self._cancellation is not None:
            state, error = history.CANCELLED, self._cancellation
        else:
            log.info("alert %s failed: %s", self.alert.name, error.message.replace("\n", " "))
        self._row.error_code, self._row.error_message = error.errno, error.message
        self._finish(state)

    def _finish(self, state: str) -> None:
        self._row.state, self._row.completed_time = state, datetime.now(UTC)
        self._write()

    def _write(self) -> None:
        registry = self._warehouse.alerts
        try:
            registry.history.write(self._row)
        except Exception as error:  # the run itself must go on
            gone = registry.scheduler is None or self.alert.name not in registry.alerts
            level = logging.DEBUG if gone else logging.WARNING
            log.log(level, "cannot record a run of alert %s: %s", self.alert.name, error)
