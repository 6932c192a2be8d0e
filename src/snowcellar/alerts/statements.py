"""CREATE, DROP and EXECUTE ALERT.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-alert, .../drop-alert, .../execute-alert
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from fakesnow import statement_type

from snowcellar.alerts import options
from snowcellar.alerts.alert import Alert
from snowcellar.alerts.clauses import read_create
from snowcellar.errors import ObjectExists, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.names import NAME, QualifiedName
from snowcellar.result import Result
from snowcellar.session import Session

_FLAGS = re.IGNORECASE | re.DOTALL
_CREATE = re.compile(
    rf"CREATE\s+(?:OR\s+(?P<replace>REPLACE|ALTER)\s+)?ALERT\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?P<clauses>\s.*)\Z",
    _FLAGS,
)
_DROP = re.compile(rf"DROP\s+ALERT\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_EXECUTE = re.compile(rf"EXECUTE\s+ALERT\s+(?P<name>{NAME})\Z", _FLAGS)


def create_alert(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE] ALERT: suspended, whatever it replaces."""
    session.commit_before_ddl()
    replace = (match["replace"] or "").upper()
    if replace == "ALTER":
        raise Unsupported("CREATE OR ALTER ALERT", "Use CREATE OR REPLACE, or ALTER ALERT.")
    name = session.qualify(match["name"])
    _require_schema(session, name)
    registry = session.warehouse.alerts
    with registry.lock:
        if name in registry.alerts and not replace:
            if match["exists"]:
                return _status(f"{name.name} already exists, statement succeeded.")
            raise ObjectExists(name.name)
        registry.save(session.warehouse, _alert_of(session, name, match["clauses"]))
    _cancel(session, name, f"Alert {name} was replaced while it ran.")
    return _status(f"Alert {name.name} successfully created.")


def drop_alert(session: Session, match: re.Match[str]) -> Result:
    """DROP ALERT: a run under way is cancelled."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    registry = session.warehouse.alerts
    with registry.lock:
        if name not in registry.alerts:
            if match["exists"]:
                return _status(
                    "Drop statement executed successfully (object already dropped or not authorized)."
                )
            raise ObjectNotFound("Alert", str(name))
        registry.remove(session.warehouse, name)
    _cancel(session, name, f"Alert {name} was dropped while it ran.")
    return _status(f"{name.name} successfully dropped.")


def execute_alert(session: Session, match: re.Match[str]) -> Result:
    """EXECUTE ALERT: answers at once, the alert runs in the background; a suspended one stays suspended."""
    alert = session.warehouse.alerts.find(session.qualify(match["name"]))
    scheduler = session.warehouse.alerts.scheduler
    if scheduler is None:
        raise WarehouseError(
            "EXECUTE ALERT needs the alert scheduler, which is not running here.", 90001, "57P03"
        )
    scheduler.request(alert)
    return _status(f"Alert {alert.name.name} is scheduled to run immediately.")


def _alert_of(session: Session, name: QualifiedName, text: str) -> Alert:
    clauses = read_create(text)
    settings = options.read(clauses.options)
    if "SCHEDULE" not in settings:
        raise Unsupported("an alert on new data (without SCHEDULE)", "Give it a SCHEDULE = 'n MINUTE'.")
    return Alert(
        name=name,
        alert_id=str(uuid.uuid4()),
        owner=session.role,
        created_on=datetime.now(UTC),
        condition=clauses.condition,
        action=clauses.action,
        options=settings,
    )


def _cancel(session: Session, name: QualifiedName, reason: str) -> None:
    if (scheduler := session.warehouse.alerts.scheduler) is not None:
        scheduler.cancel(name, reason)


def _require_schema(session: Session, name: QualifiedName) -> None:
    found = session.duck.execute(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [name.database, name.schema],
    ).fetchall()
    if not found:
        raise ObjectNotFound("Schema", f"{name.database}.{name.schema}")


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [(_CREATE, create_alert), (_DROP, drop_alert), (_EXECUTE, execute_alert)]
