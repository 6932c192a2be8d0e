"""SCHEDULE = '...': an interval; CRON is refused by name.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task (SEMANTICS 20)
"""

from __future__ import annotations

import re

from snowcellar.errors import Unsupported
from snowcellar.tasks.task import TaskError

MINIMUM_SECONDS = 10
MAXIMUM_SECONDS = 11_520 * 60
_INTERVAL = re.compile(r"\+?(?P<count>\d+)\s(?P<unit>S|SECONDS?|M|MINUTES?|H|HOURS?)\s*\Z", re.IGNORECASE)
_UNIT_SECONDS = {"S": 1, "M": 60, "H": 3600}


def interval_seconds(schedule: str) -> int:
    """The seconds of an interval as Snowflake counts them; a TaskError for what is no schedule."""
    if re.match(r"\s*USING\s+CRON\b", schedule, re.IGNORECASE):
        raise Unsupported(
            f"SCHEDULE = '{schedule}'",
            "Give an interval such as '5 MINUTES'; CRON schedules run on Snowflake only.",
        )
    match = _INTERVAL.match(schedule)
    seconds = int(match["count"]) * _UNIT_SECONDS[match["unit"][0].upper()] if match else 0
    if seconds == 0:
        raise TaskError(
            "Invalid schedule was specified. Please refer to the docs on what constitutes a valid schedule."
        )
    if seconds < MINIMUM_SECONDS:
        raise TaskError("Cannot set schedule less than 10 seconds.")
    if seconds > MAXIMUM_SECONDS:
        raise TaskError("Cannot set schedule greater than 11,520 minutes.")
    return seconds
