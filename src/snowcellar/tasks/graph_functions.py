"""TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(...)) and COMPLETE_TASK_GRAPHS(...): a row for each graph run.

Source: https://docs.snowflake.com/en/sql-reference/functions/current_task_graphs, .../complete_task_graphs
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import CompilationError
from snowcellar.grants import visibility
from snowcellar.names import literal
from snowcellar.session import Session
from snowcellar.tasks.history_function import all_runs

_DEFAULT_LIMIT = 1000
_MAXIMUM_LIMIT = 10_000
_KEPT = "INTERVAL 60 MINUTE"
_FAILED = "STATE IN ('FAILED', 'FAILED_AND_AUTO_SUSPENDED')"
_GRAPH_RUNS = f"""
SELECT
    any_value(ROOT) AS ROOT_TASK_NAME, any_value(DATABASE_NAME) AS DATABASE_NAME,
    any_value(SCHEMA_NAME) AS SCHEMA_NAME,
    {{state}} AS STATE, any_value(SCHEDULED_FROM) AS SCHEDULED_FROM,
    arg_min(NAME, COMPLETED_TIME) FILTER (WHERE {_FAILED}) AS FIRST_ERROR_TASK_NAME,
    arg_min(ERROR_CODE, COMPLETED_TIME) FILTER (WHERE {_FAILED}) AS FIRST_ERROR_CODE,
    arg_min(ERROR_MESSAGE, COMPLETED_TIME) FILTER (WHERE {_FAILED}) AS FIRST_ERROR_MESSAGE,
    min(SCHEDULED_TIME) AS SCHEDULED_TIME, min(QUERY_START_TIME) AS QUERY_START_TIME,
    max(NEXT_SCHEDULED_TIME) AS NEXT_SCHEDULED_TIME, {{completed}}
    any_value(ROOT_TASK_ID) AS ROOT_TASK_ID, any_value(GRAPH_VERSION) AS GRAPH_VERSION,
    any_value(RUN_ID) AS RUN_ID, ATTEMPT_NUMBER, any_value(CONFIG) AS CONFIG, GRAPH_RUN_GROUP_ID,
    CAST(NULL AS VARCHAR) AS BACKFILL_INFO
FROM (
    SELECT *, first_value(NAME) OVER (
        PARTITION BY ROOT_TASK_ID, RUN_ID ORDER BY ATTEMPT_NUMBER, SCHEDULED_TIME
    ) AS ROOT
    FROM ({{runs}})
)
WHERE {{which}}
GROUP BY ROOT_TASK_ID, RUN_ID, GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER
"""


def current_task_graphs(session: Session, arguments: Mapping[str, exp.Expression]) -> exp.Query:
    """The graphs that run, and when the started ones are due next."""
    query = _GRAPH_RUNS.format(
        runs=_runs(session),
        which=f"GRAPH_RUN_GROUP_ID IN ({_running(session)}) OR GRAPH_RUN_GROUP_ID IS NULL",
        state="CASE WHEN count(QUERY_START_TIME) > 0 THEN 'EXECUTING' ELSE 'SCHEDULED' END",
        completed="",
    )
    return _chosen(query, arguments, ("RESULT_LIMIT", "ROOT_TASK_NAME"), "SCHEDULED_TIME")


def complete_task_graphs(session: Session, arguments: Mapping[str, exp.Expression]) -> exp.Query:
    """The graph runs that ended within the hour; one whose root was skipped is none."""
    query = _GRAPH_RUNS.format(
        runs=_runs(session),
        which=f"GRAPH_RUN_GROUP_ID NOT IN ({_running(session)})",
        state=f"CASE WHEN bool_or({_FAILED}) THEN 'FAILED' WHEN bool_or(STATE = 'CANCELLED') "
        "THEN 'CANCELLED' ELSE 'SUCCEEDED' END",
        completed="max(COMPLETED_TIME) AS COMPLETED_TIME,",
    )
    ended = f"count(*) FILTER (WHERE STATE <> 'SKIPPED') > 0 AND max(COMPLETED_TIME) > now() - {_KEPT}"
    names = ("RESULT_LIMIT", "ROOT_TASK_NAME", "ERROR_ONLY")
    return _chosen(f"{query} HAVING {ended}", arguments, names, "COMPLETED_TIME")


def _runs(session: Session) -> str:
    query = exp.select("*").from_(all_runs(session).subquery("runs"))
    if (watched := visibility.watched(session, "TASK")) is not None:
        query = query.where(watched)
    return query.sql(dialect="duckdb")


def _running(session: Session) -> str:
    scheduler = session.warehouse.tasks.scheduler
    return ", ".join(["''", *(literal(group) for group in (scheduler.running_groups() if scheduler else ()))])


def _chosen(
    query: str, arguments: Mapping[str, exp.Expression], names: tuple[str, ...], newest: str
) -> exp.Query:
    for name in arguments:
        if name not in names:
            raise CompilationError(f"invalid argument {name}; it takes {', '.join(names)}, by name.")
    chosen = exp.select("*").from_(relations.parse_duckdb(query).subquery("graphs"))
    if root := arguments.get("ROOT_TASK_NAME"):
        chosen = chosen.where(exp.func("upper", exp.column("ROOT_TASK_NAME")).eq(root.name.upper()))
    if (errors := arguments.get("ERROR_ONLY")) is not None and errors.sql().upper() == "TRUE":
        chosen = chosen.where(exp.column("STATE").isin("FAILED", "CANCELLED"))
    limit = arguments.get("RESULT_LIMIT")
    if limit is not None and not (limit.name.isdigit() and 1 <= int(limit.name) <= _MAXIMUM_LIMIT):
        raise CompilationError(f"RESULT_LIMIT is {limit.sql()}; give a whole number from 1 to 10,000.")
    order = exp.Ordered(this=exp.column(newest), desc=True, nulls_first=False)
    return chosen.order_by(order).limit(int(limit.name) if limit is not None else _DEFAULT_LIMIT)


TABLE_FUNCTIONS = {
    "CURRENT_TASK_GRAPHS": current_task_graphs,
    "COMPLETE_TASK_GRAPHS": complete_task_graphs,
}
