"""Statements that are accepted and do nothing, or less than they say: the one list of them, with reasons.

Everything else is refused by name. docs/snowcellar.md shows the list; tests/warehouse/test_no_ops.py runs the
example of each and compares the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session


@dataclass(frozen=True)
class NoOp:
    """A statement, or a clause of one, that is accepted for nothing."""

    what: str
    reason: str
    example: str


NO_OPS: Final = (
    NoOp(
        "PRIMARY KEY, UNIQUE, FOREIGN KEY",
        "Snowflake does not enforce them either; here they are not listed",
        "ALTER TABLE T ADD PRIMARY KEY (A)",
    ),
    NoOp(
        "CLUSTER BY, SUSPEND or RESUME RECLUSTER",
        "there are no micro-partitions",
        "ALTER TABLE T CLUSTER BY (A)",
    ),
    NoOp("TRANSIENT", "there is no Fail-safe", "CREATE TRANSIENT TABLE U (A INT)"),
    NoOp(
        "DATA_RETENTION_TIME_IN_DAYS",
        "there is no Time Travel",
        "ALTER TABLE T SET DATA_RETENTION_TIME_IN_DAYS = 1",
    ),
    NoOp(
        "WAREHOUSE_SIZE, AUTO_SUSPEND and their kin",
        "they are shown; queries need no compute of their own",
        "ALTER WAREHOUSE W SET WAREHOUSE_SIZE = 'LARGE'",
    ),
    NoOp(
        "a session parameter that nothing here reads",
        "it is kept and shown",
        "ALTER SESSION SET USE_CACHED_RESULT = FALSE",
    ),
    NoOp(
        "DEFAULT_PYTHON_ARTIFACT_REPOSITORY",
        "procedures import what is installed here",
        "ALTER SCHEMA PUBLIC SET DEFAULT_PYTHON_ARTIFACT_REPOSITORY = SNOWFLAKE.SNOWPARK.PYPI",
    ),
)

_ACCEPTED = [
    re.compile(
        rf"ALTER\s+SCHEMA\s+(?:{NAME}\s+)?(?:SET\s+DEFAULT_PYTHON_ARTIFACT_REPOSITORY\s*=\s*{NAME}"
        r"|UNSET\s+DEFAULT_PYTHON_ARTIFACT_REPOSITORY)\Z",
        re.IGNORECASE,
    ),
]
_RETENTION = re.compile(
    rf"ALTER\s+(?P<kind>DATABASE|SCHEMA|TABLE)\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+"
    r"(?:SET\s+DATA_RETENTION_TIME_IN_DAYS\s*=\s*\d+|UNSET\s+DATA_RETENTION_TIME_IN_DAYS)\Z",
    re.IGNORECASE,
)


def accept(session: Session, match: re.Match[str]) -> Result:
    """Answer as Snowflake does and change nothing."""
    return Result.status("Statement executed successfully.")


def accept_retention(session: Session, match: re.Match[str]) -> Result:
    """DATA_RETENTION_TIME_IN_DAYS of an object that is there."""
    return accept(session, match)


STATEMENTS = [*((pattern, accept) for pattern in _ACCEPTED), (_RETENTION, accept_retention)]
