"""QUERY_HISTORY: the statements that ran, newest last, kept in memory.

Source: https://docs.snowflake.com/en/sql-reference/functions/query_history. PARENT_QUERY_ID is the
statement that a procedure's statement ran under.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT_STATEMENTS = 20_000
KEPT_CHARACTERS = 100_000
"""Of a statement's text, as in Snowflake's QUERY_HISTORY."""
KEPT_CHARACTERS_IN_ALL = 64_000_000


DESCRIBE_QUERY = "DESCRIBE_QUERY"
"""A client asked for the columns of a statement; nothing ran."""

_FIRST_WORDS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)(?:\s+(\w+))?", re.DOTALL)
_TYPES = {"WITH": "SELECT", "BEGIN": "BEGIN_TRANSACTION", "START": "BEGIN_TRANSACTION", "DESC": "DESCRIBE"}
_TYPES |= {"TRUNCATE": "TRUNCATE_TABLE", "PUT": "PUT_FILES", "LS": "LIST_FILES", "LIST": "LIST_FILES"}
_TYPES |= {"REMOVE": "REMOVE_FILES", "RM": "REMOVE_FILES"}


def query_type(text: str) -> str:
    """QUERY_TYPE as Snowflake names it, by a statement's first words; UNKNOWN for none.

    Deviation: CREATE, ALTER and DROP stand for themselves, without the kind of object.
    """
    match = _FIRST_WORDS.match(text.lstrip("( "))
    word = match[1].upper() if match else "UNKNOWN"
    return _TYPES.get(word, word)


@dataclass
class QueryRecord:
    """One statement, from its start; `ended` and the rest are set when it is over."""

    query_id: str
    text: str
    query_type: str
    database: str | None
    schema: str | None
    session_id: int
    user: str
    parent_query_id: str | None
    started: datetime
    role: str = ""
    warehouse: str | None = None
    tag: str = ""
    ended: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None
    rows: int | None = None

    @property
    def status(self) -> str:
        """RUNNING, SUCCESS or FAILED_WITH_ERROR."""
        if self.ended is None:
            return "RUNNING"
        return "SUCCESS" if self.error_code is None else "FAILED_WITH_ERROR"


class QueryHistory:
    """The newest statements of all sessions."""

    def __init__(self, kept: int = KEPT_STATEMENTS) -> None:
        self._records: deque[QueryRecord] = deque()
        self._kept = kept
        self._characters = 0
        self._lock = threading.Lock()

    def begin(
        self,
        text: str,
        database: str | None,
        schema: str | None,
        session_id: int,
        user: str,
        parent_query_id: str | None,
        *,
        role: str = "",
        warehouse: str | None = None,
        tag: str = "",
        describe_only: bool = False,
    ) -> QueryRecord:
        """Record a statement that starts now and give it its query id."""
        text = text[:KEPT_CHARACTERS]
        kind = DESCRIBE_QUERY if describe_only else query_type(text)
        record = QueryRecord(
            str(uuid.uuid4()),
            text,
            kind,
            database,
            schema,
            session_id,
            user,
            parent_query_id,
            datetime.now(UTC),
            role,
            warehouse,
            tag,
        )
        with self._lock:
            self._records.append(record)
            self._characters += len(text)
            while len(self._records) > self._kept or self._characters > KEPT_CHARACTERS_IN_ALL:
                self._characters -= len(self._records.popleft().text)
        return record

    def find(self, query_id: str) -> QueryRecord | None:
        """A statement by its id; most look for one of the newest."""
        with self._lock:
            return next((record for record in reversed(self._records) if record.query_id == query_id), None)

    def records(self) -> list[QueryRecord]:
        """The statements kept, oldest first."""
        with self._lock:
            return list(self._records)
