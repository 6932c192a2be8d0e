"""Spellings that Snowflake takes and its documentation has otherwise, as Snowpark writes them.

CREATE SCOPED TEMPORARY TABLE     here as TEMPORARY: it goes with the session, too (also LOCAL, GLOBAL)
CREATE TABLE name IF NOT EXISTS   the condition stands before the name
"""

from __future__ import annotations

import re

from snowcellar.names import NAME

_CREATE = r"CREATE\s+(?:OR\s+REPLACE\s+)?"
_SCOPED = re.compile(rf"\A({_CREATE})(?:SCOPED|LOCAL|GLOBAL)\s+(?=TEMP)", re.IGNORECASE)
_LATE_CONDITION = re.compile(
    rf"\A({_CREATE}(?:(?:TEMP|TEMPORARY|TRANSIENT)\s+)?TABLE\s+)(?!IF\s)({NAME})\s+IF\s+NOT\s+EXISTS\b",
    re.IGNORECASE,
)


def documented(text: str) -> str:
    """The statement as the documentation would have it."""
    return _LATE_CONDITION.sub(r"\1IF NOT EXISTS \2", _SCOPED.sub(r"\1", text))
