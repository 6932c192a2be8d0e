"""The properties of an alert: which there are, what values they take, and which are refused by name.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-alert
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from snowcellar.alerts.alert import AlertError
from snowcellar.clause_reader import Written
from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.tasks.schedule import check
from snowcellar.tasks.task import TaskError

NOT_HERE = {
    "RUNBOOK": "put the run book's address into COMMENT",
    "CONFIG": "keep thresholds in a table that the condition reads",
    "SUSPEND_ALERT_AFTER_NUM_FAILURES": "an alert goes on here, however often it fails",
}
"""Properties that Snowflake knows and snowcellar refuses, with what to do instead."""

_MINUTES_OR_CRON = re.compile(r"\s*(?:USING\s+CRON\s.*|\d+\s+(?:M|MINUTES?)\s*)\Z", re.IGNORECASE)


def read(written: Mapping[str, Written]) -> dict[str, str]:
    """The properties that a statement sets, checked."""
    for name in written:
        if name not in ("WAREHOUSE", "SCHEDULE", "COMMENT"):
            raise unknown(name)
    for name in ("SCHEDULE", "COMMENT"):
        if name in written and not written[name].quoted:
            raise CompilationError(f"invalid value [{written[name]}] for parameter '{name}'", 1008)
    if "SCHEDULE" in written:
        _check_schedule(written["SCHEDULE"].text)
    return {name: value.text for name, value in written.items()}


def unknown(name: str) -> WarehouseError:
    """The refusal of a property: known to Snowflake only, or to nobody."""
    if name in NOT_HERE:
        return Unsupported(f"alert property {name}", f"Leave it out: {NOT_HERE[name]}.")
    return CompilationError(f"invalid property '{name}' for 'ALERT'", 1420)


def _check_schedule(schedule: str) -> None:
    """What a task's may be, but an interval is in minutes, not in seconds or hours."""
    try:
        check(schedule)
    except TaskError as error:
        raise AlertError(error.message) from None
    if not _MINUTES_OR_CRON.match(schedule):
        raise AlertError(
            "Invalid schedule was specified. Please refer to the docs on what constitutes a valid schedule."
        )
