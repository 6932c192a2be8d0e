"""TABLE(INFORMATION_SCHEMA.TASK_HISTORY(...)).

Source: https://docs.snowflake.com/en/sql-reference/functions/task_history (SEMANTICS 22). Like there, it
speaks of the whole account, of the last seven days, and of the next run of each scheduled task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import CompilationError
from snowcellar.grants import visibility
from snowcellar.names import literal, split
from snowcellar.session import Session
from snowcellar.tasks.history import AUTO_SUSPENDED, FAILED, SCHEDULED

if TYPE_CHECKING:
    from snowcellar.tasks.task import Task

DEFAULT_LIMIT = 100
MAXIMUM_LIMIT = 10_000
_ARGUMENTS = (
    *("SCHEDULED_TIME_RANGE_START", "SCHEDULED_TIME_RANGE_END", "RESULT_LIMIT"),
    *("TASK_NAME", "ERROR_ONLY", "ROOT_TASK_ID"),
)
_COLUMNS = """
    query_id AS QUERY_ID, task_name AS NAME, {database} AS DATABASE_NAME, task_schema AS SCHEMA_NAME,
    query_text AS QUERY_TEXT, condition_text AS CONDITION_TEXT, state AS STATE, error_code AS ERROR_CODE,
    error_message AS ERROR_MESSAGE, scheduled_time AS SCHEDULED_TIME, query_start_time AS QUERY_START_TIME,
    next_scheduled_time AS NEXT_SCHEDULED_TIME, completed_time AS COMPLETED_TIME,
    root_task_id AS ROOT_TASK_ID, graph_version AS GRAPH_VERSION, run_id AS RUN_ID,
    return_value AS RETURN_VALUE, scheduled_from AS SCHEDULED_FROM, attempt_number AS ATTEMPT_NUMBER,
    config AS CONFIG, md5(query_text) AS QUERY_HASH, 1 AS QUERY_HASH_VERSION,
    md5(query_text) AS QUERY_PARAMETERIZED_HASH, 1 AS QUERY_PARAMETERIZED_HASH_VERSION,
    graph_run_group_id AS GRAPH_RUN_GROUP_ID, CAST(NULL AS VARCHAR) AS BACKFILL_INFO,
    CAST(NULL AS VARCHAR) AS SPCS_JOB_ID
"""
_NEXT_RUNS = "SNOWCELLAR$NEXT_TASK_RUNS"


def task_history(session: Session, arguments: Mapping[str, exp.Expression]) -> exp.Query:
    """Task runs, newest first; RESULT_LIMIT of them (100)."""
    for name in arguments:
        if name not in _ARGUMENTS:
            raise CompilationError(
                f"invalid argument {name} of TASK_HISTORY; it takes {', '.join(_ARGUMENTS)}, by name."
            )
    query = exp.select("*").from_(all_runs(session).subquery("runs"))
    for condition in _conditions(arguments):
        query = query.where(condition)
    if (watched := visibility.watched(session, "TASK")) is not None:
        query = query.where(watched)
    query = query.order_by(
        exp.Ordered(this=exp.column("SCHEDULED_TIME"), desc=True, nulls_first=False),
        exp.Ordered(this=exp.column("QUERY_START_TIME"), desc=True, nulls_first=False),
    )
    return query.limit(_limit(arguments))


def all_runs(session: Session) -> exp.Query:
    """Every run that there was, is, or is due next."""
    warehouse = session.warehouse
    session.duck.register(_NEXT_RUNS, _next_runs(session))
    selects = [f'SELECT * FROM "{_NEXT_RUNS}"']
    for database in warehouse.databases():
        columns = _COLUMNS.replace("{database}", literal(database))
        selects.append(f"SELECT {columns} FROM {warehouse.meta(database)}.sc_task_runs")
    return relations.parse_duckdb(" UNION ALL ".join(reversed(selects)))  # type: ignore[no-any-return]


def _conditions(arguments: Mapping[str, exp.Expression]) -> list[exp.Expression]:
    scheduled = exp.column("SCHEDULED_TIME")
    conditions: list[exp.Expression] = []
    if start := arguments.get("SCHEDULED_TIME_RANGE_START"):
        conditions.append(exp.GTE(this=scheduled, expression=exp.paren(start.copy())))
    if end := arguments.get("SCHEDULED_TIME_RANGE_END"):
        conditions.append(exp.LTE(this=scheduled.copy(), expression=exp.paren(end.copy())))
    if name := arguments.get("TASK_NAME"):
        parts = split(name.name)
        for column, part in zip(("NAME", "SCHEMA_NAME", "DATABASE_NAME"), reversed(parts), strict=False):
            conditions.append(exp.column(column).eq(part))
    if root := arguments.get("ROOT_TASK_ID"):
        conditions.append(exp.EQ(this=exp.column("ROOT_TASK_ID"), expression=exp.paren(root.copy())))
    if (errors := arguments.get("ERROR_ONLY")) is not None and errors.sql().upper() == "TRUE":
        conditions.append(exp.column("STATE").isin(FAILED, AUTO_SUSPENDED, "CANCELLED"))
    return conditions


def _limit(arguments: Mapping[str, exp.Expression]) -> int:
    argument = arguments.get("RESULT_LIMIT")
    if argument is None:
        return DEFAULT_LIMIT
    if not argument.name.isdigit():
        raise CompilationError(f"RESULT_LIMIT of TASK_HISTORY is {argument.sql()}; give a whole number.")
    if int(argument.name) > MAXIMUM_LIMIT:
        raise CompilationError("Value for parameter RESULT_LIMIT exceeds maximum allowable value (10,000).")
    return int(argument.name)


def _next_runs(session: Session) -> pa.Table:
    """What is scheduled and has not begun, in the columns of the history."""
    scheduler = session.warehouse.tasks.scheduler
    due: Sequence[tuple[Task, datetime]] = scheduler.next_runs() if scheduler else []
    text, number, instant = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
    empty = [None] * len(due)
    kinds = {
        "QUERY_ID": text, "NAME": text, "DATABASE_NAME": text, "SCHEMA_NAME": text, "QUERY_TEXT": text,
        "CONDITION_TEXT": text, "STATE": text, "ERROR_CODE": text, "ERROR_MESSAGE": text,
        "SCHEDULED_TIME": instant, "QUERY_START_TIME": instant, "NEXT_SCHEDULED_TIME": instant,
        "COMPLETED_TIME": instant, "ROOT_TASK_ID": text, "GRAPH_VERSION": number, "RUN_ID": number,
        "RETURN_VALUE": text, "SCHEDULED_FROM": text, "ATTEMPT_NUMBER": number, "CONFIG": text,
        "QUERY_HASH": text, "QUERY_HASH_VERSION": number, "QUERY_PARAMETERIZED_HASH": text,
        "QUERY_PARAMETERIZED_HASH_VERSION": number, "GRAPH_RUN_GROUP_ID": text, "BACKFILL_INFO": text,
        "SPCS_JOB_ID": text,
    }  # fmt: skip
    values = {
        "NAME": [task.name.name for task, _ in due],
        "DATABASE_NAME": [task.name.database for task, _ in due],
        "SCHEMA_NAME": [task.name.schema for task, _ in due],
        "QUERY_TEXT": [task.body for task, _ in due],
        "CONDITION_TEXT": [task.condition for task, _ in due],
        "STATE": [SCHEDULED for _ in due],
        "SCHEDULED_TIME": [at for _, at in due],
        "ROOT_TASK_ID": [task.task_id for task, _ in due],
        "GRAPH_VERSION": [task.graph_version for task, _ in due],
        "RUN_ID": [round(at.timestamp() * 1000) for _, at in due],
        "SCHEDULED_FROM": ["SCHEDULE" for _ in due],
        "ATTEMPT_NUMBER": [1 for _ in due],
        "CONFIG": [task.config for task, _ in due],
    }
    return pa.table({name: pa.array(values.get(name, empty), kind) for name, kind in kinds.items()})


TABLE_FUNCTIONS = {"TASK_HISTORY": task_history}
