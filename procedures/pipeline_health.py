"""OPS.PIPELINE_HEALTH(): one JSON object about the pipeline, read in one statement."""

import json
from collections import Counter
from typing import Any

from snowflake.snowpark import Session

from caves_snowpark.health import LATEST, OFFSETS, PENDING, REJECTED, ROWS, observations


def main(session: Session) -> dict[str, Any]:
    """Rows by table, pending rows by stream, rejected events by reason, latest times (UTC), next Kafka
    offsets."""
    health: dict[str, Any] = {ROWS: {}, PENDING: {}, REJECTED: Counter(), LATEST: {}, OFFSETS: {}}
    for section, name, amount, moment in observations(session).collect():
        match section:
            case "rejected":
                for reason in json.loads(name):
                    health[REJECTED][reason] += int(amount)
            case "latest":
                health[LATEST][name] = moment and f"{moment.isoformat()}Z"
            case _:
                health[section][name] = int(amount)
    return health | {REJECTED: dict(health[REJECTED])}
