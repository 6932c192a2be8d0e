"""TABLE(INFORMATION_SCHEMA.ALERT_HISTORY(...)).

Source: https://docs.snowflake.com/en/sql-reference/functions/alert_history. Like there, it speaks of the
whole account, of the last seven days, and of the next run of each alert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.alerts.history import FROM_SCHEDULE, SCHEDULED
from snowcellar.errors import CompilationError
from snowcellar.grants import visibility
from snowcellar.names import literal
from snowcellar.session import Session

if TYPE_CHECKING:
    from snowcellar.alerts.alert import Alert

DEFAULT_LIMIT = 100
MAXIMUM_LIMIT = 10_000
_ARGUMENTS = ("SCHEDULED_TIME_RANGE_START", "SCHEDULED_TIME_RANGE_END", "RESULT_LIMIT", "ALERT_NAME")
_COLUMNS = """
    alert_name AS NAME, {database} AS DATABASE_NAME, alert_schema AS SCHEMA_NAME, condition AS CONDITION,
    condition_query_id AS CONDITION_QUERY_ID, action AS ACTION, action_query_id AS ACTION_QUERY_ID,
    state AS STATE, error_code AS SQL_ERROR_CODE, error_message AS SQL_ERROR_MESSAGE,
    scheduled_time AS SCHEDULED_TIME, completed_time AS COMPLETED_TIME, scheduled_from AS SCHEDULED_FROM
"""


def alert_history(session: Session, arguments: Mapping[str, exp.Expression]) -> exp.Query:
    """Alert runs, newest first; RESULT_LIMIT of them (100)."""
    for name in arguments:
        if name not in _ARGUMENTS:
            raise CompilationError(
                f"invalid argument {name} of ALERT_HISTORY; it takes {', '.join(_ARGUMENTS)}, by name."
            )
    query = exp.select("*").from_(_all_runs(session).subquery("runs"))
    scheduled = exp.column("SCHEDULED_TIME")
    if start := arguments.get("SCHEDULED_TIME_RANGE_START"):
        query = query.where(exp.GTE(this=scheduled.copy(), expression=exp.paren(start.copy())))
    if end := arguments.get("SCHEDULED_TIME_RANGE_END"):
        query = query.where(exp.LTE(this=scheduled.copy(), expression=exp.paren(end.copy())))
    if alert := arguments.get("ALERT_NAME"):
        query = query.where(exp.func("UPPER", exp.column("NAME")).eq(alert.name.upper()))
    if (watched := visibility.watched(session, "ALERT")) is not None:
        query = query.where(watched)
    newest = exp.Ordered(this=scheduled, desc=True, nulls_first=False)
    return query.order_by(newest).limit(_limit(arguments))


def _all_runs(session: Session) -> exp.Query:
    warehouse = session.warehouse
    selects = [f'SELECT * FROM "{session.register(_next_runs(session))}"']
    for database in warehouse.databases():
        columns = _COLUMNS.replace("{database}", literal(database))
        selects.append(f"SELECT {columns} FROM {warehouse.meta(database)}.sc_alert_runs")
    return relations.parse_duckdb(" UNION ALL ".join(reversed(selects)))  # type: ignore[no-any-return]


def _limit(arguments: Mapping[str, exp.Expression]) -> int:
    argument = arguments.get("RESULT_LIMIT")
    if argument is None:
        return DEFAULT_LIMIT
    if not argument.name.isdigit():
        raise CompilationError(f"RESULT_LIMIT of ALERT_HISTORY is {argument.sql()}; give a whole number.")
    if int(argument.name) > MAXIMUM_LIMIT:
        raise CompilationError("Value for parameter RESULT_LIMIT exceeds maximum allowable value (10,000).")
    return int(argument.name)


def _next_runs(session: Session) -> pa.Table:
    """What is scheduled and has not begun, in the columns of the history."""
    scheduler = session.warehouse.alerts.scheduler
    due: Sequence[tuple[Alert, datetime]] = scheduler.next_runs() if scheduler else []
    text, number, instant = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
    columns: dict[str, tuple[pa.DataType, list[object]]] = {
        "NAME": (text, [alert.name.name for alert, _ in due]),
        "DATABASE_NAME": (text, [alert.name.database for alert, _ in due]),
        "SCHEMA_NAME": (text, [alert.name.schema for alert, _ in due]),
        "CONDITION": (text, [alert.condition for alert, _ in due]),
        "CONDITION_QUERY_ID": (text, [None for _ in due]),
        "ACTION": (text, [alert.action for alert, _ in due]),
        "ACTION_QUERY_ID": (text, [None for _ in due]),
        "STATE": (text, [SCHEDULED for _ in due]),
        "SQL_ERROR_CODE": (number, [None for _ in due]),
        "SQL_ERROR_MESSAGE": (text, [None for _ in due]),
        "SCHEDULED_TIME": (instant, [at for _, at in due]),
        "COMPLETED_TIME": (instant, [None for _ in due]),
        "SCHEDULED_FROM": (text, [FROM_SCHEDULE for _ in due]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


TABLE_FUNCTIONS = {"ALERT_HISTORY": alert_history}
