"""SNOWFLAKE.ALERT.*: what the condition and the action of a running alert may ask.

Source: https://docs.snowflake.com/en/sql-reference/functions/scheduled_time,
.../last_successful_scheduled_time, .../get_condition_query_uuid. They can be called from within an alert
only, so they are written out before its statements run.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from snowcellar.names import literal

_CALL = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/"  # passed over as they are
    r"|SNOWFLAKE\s*\.\s*ALERT\s*\.\s*(?P<function>SCHEDULED_TIME|LAST_SUCCESSFUL_SCHEDULED_TIME"
    r"|GET_CONDITION_QUERY_UUID)\s*\(\s*\)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = "GET_CONDITION_QUERY_UUID"
_EPOCH = datetime.fromtimestamp(0, UTC)


def asks_for_condition(sql: str) -> bool:
    """Whether a statement of an alert asks for the query of its condition."""
    return any((match["function"] or "").upper() == _CONDITION for match in _CALL.finditer(sql))


def write_out(
    sql: str, scheduled_time: datetime, last_success: datetime | None, condition_query_id: str | None
) -> str:
    """A statement of an alert with the calls replaced by their values."""
    values = {
        "SCHEDULED_TIME": _timestamp(scheduled_time),
        "LAST_SUCCESSFUL_SCHEDULED_TIME": _timestamp(last_success or _EPOCH),
        _CONDITION: "NULL" if condition_query_id is None else literal(condition_query_id),
    }

    def value(match: re.Match[str]) -> str:
        return values[match["function"].upper()] if match["function"] else match[0]

    return _CALL.sub(value, sql)


def _timestamp(time: datetime) -> str:
    return f"'{time.astimezone(UTC).isoformat(sep=' ')}'::TIMESTAMP_LTZ"
