"""BEGIN, COMMIT and ROLLBACK.

Source: https://docs.snowflake.com/en/sql-reference/transactions (SEMANTICS 24, 25)
"""

from __future__ import annotations

import re

from fakesnow import statement_type

from snowcellar.result import Result
from snowcellar.session import Session

_BEGIN = re.compile(
    r"(?:BEGIN(?:\s+(?:TRANSACTION|WORK))?|START\s+TRANSACTION)(?:\s+NAME\s+\w+)?\Z", re.IGNORECASE
)
_COMMIT = re.compile(r"COMMIT(?:\s+WORK)?\Z", re.IGNORECASE)
_ROLLBACK = re.compile(r"ROLLBACK(?:\s+WORK)?\Z", re.IGNORECASE)


def begin(session: Session, match: re.Match[str]) -> Result:
    """Open a transaction; ignored within one."""
    session.begin()
    return _done()


def commit(session: Session, match: re.Match[str]) -> Result:
    """End the transaction and keep it; nothing to do outside one."""
    session.connection.commit(session)
    return _done()


def rollback(session: Session, match: re.Match[str]) -> Result:
    """End the transaction and undo it; nothing to do outside one."""
    session.connection.rollback(session)
    return _done()


def _done() -> Result:
    return Result.status("Statement executed successfully.", statement_type.TCL)


STATEMENTS = [(_BEGIN, begin), (_COMMIT, commit), (_ROLLBACK, rollback)]
