"""SHOW ALERTS and DESCRIBE ALERT.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-alerts
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from snowcellar import show
from snowcellar.alerts.alert import Alert
from snowcellar.grants.visibility import owner_of, seen
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_SHOW = re.compile(r"SHOW\s+(?P<terse>TERSE\s+)?ALERTS\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+ALERT\s+(?P<name>{NAME})\Z", re.IGNORECASE)

_NAMES = (
    *("created_on", "name", "database_name", "schema_name", "owner", "comment", "warehouse", "schedule"),
    *("state", "condition", "action", "owner_role_type"),
)
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name", "schedule", "state")


def show_alerts(session: Session, match: re.Match[str]) -> Result:
    """SHOW [TERSE] ALERTS with LIKE, IN, STARTS WITH and LIMIT."""
    names = _TERSE if match["terse"] else _NAMES
    known = session.warehouse.alerts.alerts
    alerts = [known[name] for name in sorted(seen(session, "ALERT", list(known)))]
    rows = [_row(session, alert, names) for alert in alerts]
    return show.answer(session, match["rest"], _columns(names), rows)


def describe_alert(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE ALERT: the row of SHOW ALERTS."""
    alert = session.warehouse.alerts.find(session.qualify(match["name"]))
    return Result.rows(_columns(_NAMES), [_row(session, alert, _NAMES)])


def _columns(names: tuple[str, ...]) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.timestamp("us", "UTC") if name == "created_on" else pa.string()) for name in names]


def _row(session: Session, alert: Alert, names: tuple[str, ...]) -> list[Any]:
    values = {
        "created_on": alert.created_on,
        "name": alert.name.name,
        "kind": None,
        "database_name": alert.name.database,
        "schema_name": alert.name.schema,
        "owner": owner_of(session, "ALERT", alert.name),
        "comment": alert.comment,
        "warehouse": alert.warehouse,
        "schedule": alert.schedule,
        "state": "started" if alert.started else "suspended",
        "condition": alert.condition,
        "action": alert.action,
        "owner_role_type": "ROLE",
    }
    return [values[name] for name in names]


STATEMENTS = [(_SHOW, show_alerts), (_DESCRIBE, describe_alert)]
