"""OPS.PIPELINE_HEALTH(): one JSON object about the pipeline, read in one statement."""

from typing import Any

from snowflake.snowpark import Session

from caves_snowpark.health import observations, summary


def main(session: Session) -> dict[str, Any]:
    """Rows and latest times by table, pending rows by stream, rejected events by reason, offsets, gaps."""
    return summary(observations(session).collect())
