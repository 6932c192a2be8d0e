"""SCHEDULE = '...': an interval, or a CRON expression with its time zone.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task (SEMANTICS 20)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from snowcellar.tasks.task import TaskError

MINIMUM_SECONDS = 10
MAXIMUM_SECONDS = 11_520 * 60
_INTERVAL = re.compile(r"\+?(?P<count>\d+)\s(?P<unit>S|SECONDS?|M|MINUTES?|H|HOURS?)\s*\Z", re.IGNORECASE)
_UNIT_SECONDS = {"S": 1, "M": 60, "H": 3600}
_CRON = re.compile(r"\s*USING\s+CRON\s+(?P<expression>\S+(?:\s+\S+){4})\s+(?P<zone>\S+)\s*\Z", re.IGNORECASE)
_INVALID = "Invalid schedule was specified. Please refer to the docs on what constitutes a valid schedule."


def check(schedule: str) -> None:
    """Refuse what is no schedule."""
    if next_time(schedule, datetime.now(UTC)) is None:
        interval_seconds(schedule)


def next_time(schedule: str, after: datetime) -> datetime | None:
    """When a CRON schedule is due after an instant; None for an interval."""
    match = _CRON.match(schedule)
    if match is None:
        if re.match(r"\s*USING\b", schedule, re.IGNORECASE):
            raise TaskError(_INVALID)
        return None
    if match["zone"] not in available_timezones():
        raise TaskError(_INVALID)
    try:
        return next(CronSim(match["expression"], after.astimezone(ZoneInfo(match["zone"])))).astimezone(UTC)
    except (CronSimError, StopIteration) as error:
        raise TaskError(_INVALID) from error


def interval_seconds(schedule: str) -> int:
    """The seconds of an interval as Snowflake counts them; a TaskError for what is no interval."""
    match = _INTERVAL.match(schedule)
    seconds = int(match["count"]) * _UNIT_SECONDS[match["unit"][0].upper()] if match else 0
    if seconds == 0:
        raise TaskError(_INVALID)
    if seconds < MINIMUM_SECONDS:
        raise TaskError("Cannot set schedule less than 10 seconds.")
    if seconds > MAXIMUM_SECONDS:
        raise TaskError("Cannot set schedule greater than 11,520 minutes.")
    return seconds
