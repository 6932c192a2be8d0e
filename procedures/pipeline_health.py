"""OPS.PIPELINE_HEALTH(): one JSON object about the pipeline, read in one statement."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from snowflake.snowpark import Row, Session

from caves_snowpark.health import GAPS, OFFSETS, REJECTED, STREAMS, TABLES, observations


def main(session: Session) -> dict[str, Any]:
    """Rows and latest times by table, pending rows by stream, rejected events by reason, offsets, gaps."""
    health: dict[str, dict[str, Any]] = {TABLES: {}, STREAMS: {}, REJECTED: Counter()}
    health |= {OFFSETS: {}, GAPS: {}}
    for section, name, amount, written, happened in sorted(observations(session).collect(), key=_place):
        if section == TABLES:
            health[TABLES][name] = {
                "rows": int(amount),
                "latest_write": _utc(written),
                "latest_event": _utc(happened),
            }
        elif section == REJECTED:
            for reason in json.loads(name or "[]"):
                health[REJECTED][reason] += int(amount)
        else:
            health[section][name] = int(amount)
    return health | {REJECTED: dict(health[REJECTED])}


def _place(row: Row) -> tuple[str, str]:
    return row[0], row[1]


def _utc(time: datetime | None) -> str | None:
    return f"{time.isoformat()}Z" if time else None
