"""Spellings that Snowflake takes and its documentation has otherwise, as Snowpark writes them.

CREATE SCOPED TEMPORARY TABLE     here as TEMPORARY: it goes with the session, too (also LOCAL, GLOBAL)
CREATE TABLE name IF NOT EXISTS   the condition stands before the name
PUT file:///folder/* @stage       the file in quotes, for /* would begin a comment
"""

from __future__ import annotations

import re

from snowcellar.names import NAME, literal

_CREATE = r"CREATE\s+(?:OR\s+REPLACE\s+)?"
_SCOPED = re.compile(rf"\A({_CREATE})(?:SCOPED|LOCAL|GLOBAL)\s+(?=TEMP)", re.IGNORECASE)
_LATE_CONDITION = re.compile(
    rf"\A({_CREATE}(?:(?:TEMP|TEMPORARY|TRANSIENT)\s+)?TABLE\s+)(?!IF\s)({NAME})\s+IF\s+NOT\s+EXISTS\b",
    re.IGNORECASE,
)

_BARE_FILE = re.compile(r"\A(PUT\s+)(file://\S*[*]\S*)(?=\s)", re.IGNORECASE)


def documented(text: str) -> str:
    """The statement as the documentation would have it."""
    text = _BARE_FILE.sub(lambda put: f"{put[1]}{literal(put[2])}", text)
    return _LATE_CONDITION.sub(r"\1IF NOT EXISTS \2", _SCOPED.sub(r"\1", text))
