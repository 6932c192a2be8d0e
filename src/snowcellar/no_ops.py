"""Statements that are accepted and do nothing, each with its reason. Everything else is refused by name.

pattern                          why nothing is right
GRANT, REVOKE                    one user owns the local warehouse; roles are not enforced
CREATE / DROP ROLE               as above: a role is a name
USE SECONDARY ROLES              as above (session_statements)
WAREHOUSE_SIZE, AUTO_SUSPEND     recorded and shown; queries need no compute of their own (virtual_warehouses)
SYSTEM$CANCEL_ALL_QUERIES        a session runs one statement at a time, and this is it (session_statements)
DATA_RETENTION_TIME_IN_DAYS      there is no Time Travel here
ALTER TABLE ... CLUSTER BY       micro-partitions have no local counterpart (fakesnow strips it)
"""

from __future__ import annotations

import re

from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_ACCEPTED = [
    re.compile(r"(?:GRANT|REVOKE)\s+.+\Z", re.IGNORECASE | re.DOTALL),
    re.compile(
        rf"(?:CREATE\s+(?:OR\s+REPLACE\s+)?ROLE\s+(?:IF\s+NOT\s+EXISTS\s+)?|DROP\s+ROLE\s+(?:IF\s+EXISTS\s+)?){NAME}"
        r"(?:\s+COMMENT\s*=\s*'(?:[^']|'')*')?\Z",
        re.IGNORECASE,
    ),
    re.compile(
        rf"ALTER\s+SCHEMA\s+(?:IF\s+EXISTS\s+)?{NAME}\s+(?:ENABLE|DISABLE)\s+MANAGED\s+ACCESS\Z",
        re.IGNORECASE,
    ),
    re.compile(
        rf"ALTER\s+(?:DATABASE|SCHEMA|TABLE)\s+(?:IF\s+EXISTS\s+)?{NAME}\s+"
        r"(?:SET\s+DATA_RETENTION_TIME_IN_DAYS\s*=\s*\d+|UNSET\s+DATA_RETENTION_TIME_IN_DAYS)\Z",
        re.IGNORECASE,
    ),
]


def accept(session: Session, match: re.Match[str]) -> Result:
    """Answer as Snowflake does and change nothing."""
    return Result.status("Statement executed successfully.")


STATEMENTS = [(pattern, accept) for pattern in _ACCEPTED]
