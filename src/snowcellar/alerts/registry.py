"""Which alerts there are: in memory, and in the file of the database they belong to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from snowcellar.alerts.alert import Alert
from snowcellar.alerts.history import AlertHistory
from snowcellar.errors import ObjectNotFound
from snowcellar.names import QualifiedName

if TYPE_CHECKING:
    from snowcellar.alerts.scheduler import Scheduler
    from snowcellar.warehouse import Warehouse

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_alerts (
    alert_schema VARCHAR NOT NULL, alert_name VARCHAR NOT NULL, definition VARCHAR NOT NULL
);
"""


class AlertRegistry:
    """All alerts of a warehouse; the rows on disk are the truth at start.

    `lock` is held from the look at an alert to the change that follows from it. `alerts` is replaced, never
    changed, so the scheduler reads it without the lock.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.history = AlertHistory(warehouse)
        self.lock = threading.RLock()
        self.alerts: dict[QualifiedName, Alert] = {}
        self.scheduler: Scheduler | None = None

    def load(self, warehouse: Warehouse, database: str) -> None:
        """Read a database's alerts from its file."""
        with warehouse.cursor() as duck:
            rows = duck.execute(f"SELECT * FROM {warehouse.meta(database)}.sc_alerts").fetchall()
        names = [QualifiedName(database, schema, name) for schema, name, _ in rows]
        with self.lock:
            self.forget(database)
            loaded = {name: Alert.from_json(name, row[2]) for name, row in zip(names, rows, strict=True)}
            self.alerts = {**self.alerts, **loaded}

    def forget(self, database: str) -> None:
        """Drop a database's alerts from memory."""
        with self.lock:
            self.alerts = {name: alert for name, alert in self.alerts.items() if name.database != database}

    def drop_schema(self, warehouse: Warehouse, database: str, schema: str) -> None:
        """Forget the alerts of a schema, on disk too."""
        with self.lock:
            for name in list(self.alerts):
                if (name.database, name.schema) == (database, schema):
                    self.remove(warehouse, name)

    def find(self, name: QualifiedName) -> Alert:
        """The alert of that name."""
        alert = self.alerts.get(name)
        if alert is None:
            raise ObjectNotFound("Alert", str(name))
        return alert

    def started(self) -> list[Alert]:
        """The alerts that the clock runs."""
        return [alert for alert in self.alerts.values() if alert.started]

    def save(self, warehouse: Warehouse, alert: Alert) -> None:
        """Keep an alert, new or changed."""
        self._write(warehouse, alert.name, alert)

    def remove(self, warehouse: Warehouse, name: QualifiedName) -> None:
        """Forget an alert."""
        self._write(warehouse, name, None)

    def _write(self, warehouse: Warehouse, name: QualifiedName, alert: Alert | None) -> None:
        table, key = f"{warehouse.meta(name.database)}.sc_alerts", [name.schema, name.name]
        with self.lock, warehouse.cursor() as duck:
            duck.execute("BEGIN TRANSACTION")
            duck.execute(f"DELETE FROM {table} WHERE alert_schema = ? AND alert_name = ?", key)
            if alert is not None:
                duck.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", [*key, alert.to_json()])
            duck.execute("COMMIT")
            others = {other: kept for other, kept in self.alerts.items() if other != name}
            self.alerts = others if alert is None else {**others, name: alert}
        if self.scheduler is not None:
            self.scheduler.notify()
