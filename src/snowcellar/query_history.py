"""TABLE(INFORMATION_SCHEMA.QUERY_HISTORY()), TABLE(RESULT_SCAN(...)) and LAST_QUERY_ID().

Source: https://docs.snowflake.com/en/sql-reference/functions/query_history, .../result_scan
PARENT_QUERY_ID is ours: the CALL that a procedure's statement ran under.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import CompilationError, WarehouseError
from snowcellar.grants.key import ACCOUNT, Key
from snowcellar.grants.rights import rights_of
from snowcellar.history import QueryRecord
from snowcellar.session import Session

DEFAULT_LIMIT = 100


def query_history(session: Session, arguments: Mapping[str, exp.Expr]) -> exp.Query:
    """The newest statements, newest first; RESULT_LIMIT of them (100)."""
    unknown = set(arguments) - {"RESULT_LIMIT"}
    if unknown:
        raise CompilationError(f"QUERY_HISTORY: argument {', '.join(sorted(unknown))} is not supported here.")
    limit = int(arguments["RESULT_LIMIT"].name) if "RESULT_LIMIT" in arguments else DEFAULT_LIMIT
    records = [each for each in session.warehouse.history.records()[::-1] if _may_see(session, each)][:limit]
    text, instant = pa.string(), pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "QUERY_ID": pa.array([record.query_id for record in records], text),
            "QUERY_TEXT": pa.array([record.text for record in records], text),
            "QUERY_TYPE": pa.array([record.query_type for record in records], text),
            "DATABASE_NAME": pa.array([record.database for record in records], text),
            "SCHEMA_NAME": pa.array([record.schema for record in records], text),
            "SESSION_ID": pa.array([record.session_id for record in records], pa.int64()),
            "USER_NAME": pa.array([record.user for record in records], text),
            "ROLE_NAME": pa.array([record.role for record in records], text),
            "WAREHOUSE_NAME": pa.array([record.warehouse for record in records], text),
            "QUERY_TAG": pa.array([record.tag for record in records], text),
            "EXECUTION_STATUS": pa.array([record.status for record in records], text),
            "ERROR_CODE": pa.array([_text(record.error_code) for record in records], text),
            "ERROR_MESSAGE": pa.array([record.error_message for record in records], text),
            "START_TIME": pa.array([record.started for record in records], instant),
            "END_TIME": pa.array([record.ended for record in records], instant),
            "ROWS_PRODUCED": pa.array([record.rows for record in records], pa.int64()),
            "PARENT_QUERY_ID": pa.array([record.parent_query_id for record in records], text),
        }
    )
    return relations.arrow_query(session, table)


def _may_see(session: Session, record: QueryRecord) -> bool:
    """One's own statements, those on a warehouse that the role monitors; with MONITOR on the account, all."""
    rights = rights_of(session)
    if record.user == session.user or rights.holds("MONITOR", ACCOUNT):
        return True
    key = Key("WAREHOUSE", name=record.warehouse or "")
    return rights.holds("MONITOR", key) or rights.holds("OPERATE", key)


def _text(value: int | None) -> str | None:
    return None if value is None else f"{value:06d}"


def result_scan(session: Session, arguments: Mapping[str, exp.Expr]) -> exp.Query:
    """The rows that an earlier statement of the session answered."""
    argument = arguments["0"]
    query_id = argument.name if isinstance(argument, exp.Literal) else session.last_query_id
    result = session.results.get(query_id or "")
    if result is None:
        raise WarehouseError(f"Statement {query_id} not found", 709, "02000")
    return relations.arrow_query(session, result.table)


TABLE_FUNCTIONS = {
    "QUERY_HISTORY": query_history,
    "QUERY_HISTORY_BY_SESSION": query_history,
    "RESULT_SCAN": result_scan,
}
