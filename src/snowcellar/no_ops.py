"""Statements that are accepted and do nothing, each with its reason. Everything else is refused by name.

pattern                          why nothing is right
WAREHOUSE_SIZE, AUTO_SUSPEND     recorded and shown; queries need no compute of their own (virtual_warehouses)
SYSTEM$CANCEL_ALL_QUERIES        a session runs one statement at a time, and this is it (session_statements)
DATA_RETENTION_TIME_IN_DAYS      there is no Time Travel here
DEFAULT_PYTHON_ARTIFACT_...      procedures import what is installed here, wherever a schema has it from
ALTER TABLE ... CLUSTER BY       micro-partitions have no local counterpart (fakesnow strips it)
"""

from __future__ import annotations

import re

from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

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
