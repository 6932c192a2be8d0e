"""How the pipeline is: rows and lag by layer, alerts, task runs, rejected events, invariants."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from datetime import datetime
from typing import Any, Final

import pandas as pd
from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.dead_letters import is_waiting
from caves_snowpark.health import parts, summary
from caves_snowpark.invariants import Invariant
from dashboard.queries.shared import MOST_LINES, frame

MOST_OFFENDERS: Final = 1_000
# A table function with a named argument, which Snowpark has no expression for. Nothing from outside is in it.
_TASK_HISTORY: Final = """
    SELECT NAME, STATE, SCHEDULED_TIME, COMPLETED_TIME, RETURN_VALUE, ERROR_MESSAGE
    FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000))
    WHERE STATE NOT IN ('SCHEDULED', 'SKIPPED')
    ORDER BY SCHEDULED_TIME DESC
"""


def health(session: Session) -> dict[str, Any]:
    """What OPS.PIPELINE_HEALTH() answers: rows and times by table, pending rows by stream, rejections."""
    return summary(_in_one_statement(session, parts(session)).collect())


def alerts(session: Session) -> pd.DataFrame:
    """ALERT_LOG: what is open, the worst first, then what was over last."""
    log = session.table(names.ALERT_LOG).select(
        *("SEVERITY", "ALERT_NAME", "SUBJECT", "FIRED_AT", "CLEARED_AT"),
        F.to_json("DETAILS").alias("DETAILS"),
    )
    latest = (F.col("CLEARED_AT").desc_nulls_first(), "SEVERITY", F.col("FIRED_AT").desc())
    return frame(log.sort(*latest, "ALERT_NAME", "SUBJECT").limit(MOST_LINES))


def open_alerts(session: Session) -> int:
    return int(session.table(names.OPEN_ALERTS).count())


def waiting_rejected(session: Session) -> int:
    """How many rejected events were neither replayed nor dismissed; one may have several reasons."""
    return int(session.table(names.REJECTED_EVENTS).filter(is_waiting()).count())


def task_runs(session: Session) -> pd.DataFrame:
    """The latest runs of tasks, newest first; those that had nothing to do are left out."""
    history = session.sql(_TASK_HISTORY).limit(MOST_LINES)
    found = frame(history)
    times = zip(found["SCHEDULED_TIME"], found["COMPLETED_TIME"], strict=True)
    found["SECONDS"] = [_seconds(scheduled, completed) for scheduled, completed in times]
    return found


def offenders(session: Session, invariant: Invariant) -> int:
    """How many rows break the invariant, counted up to a thousand."""
    return len(session.sql(invariant.sql).limit(MOST_OFFENDERS).collect())


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 1) if start and end else None


def _in_one_statement(session: Session, rows: list[DataFrame]) -> DataFrame:
    """All their rows. For a union of DataFrames Snowpark asks the warehouse for the columns of every one
    first: some fifty questions, each a round trip. Local testing has no text.
    """
    return session.sql(_union_all_of_texts(rows))


def _union_all_of_texts(rows: list[DataFrame]) -> str:
    """A statement of Snowpark's own texts, and of nothing from outside."""
    return " UNION ALL ".join(f"({each.queries['queries'][-1]})" for each in rows)
