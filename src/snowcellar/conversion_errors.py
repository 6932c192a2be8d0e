"""A text that is no value of a type, told as Snowflake tells it: "Date 'x' is not recognized"."""

from __future__ import annotations

import re

_FIELD = re.compile(r'(?P<kind>date|timestamp|time) field .*?: "(?P<text>.*?)"')
_STRING = re.compile(r"Could not convert string ['\"](?P<text>.*?)['\"] to (?P<kind>[A-Z]+)")
_TOLD = {
    "date": ("Date", 100040, "22007"),
    "timestamp": ("Timestamp", 100035, "22007"),
    "time": ("Time", 100108, "22007"),
    "BOOL": ("Boolean value", 100037, "22018"),
    **dict.fromkeys(
        ("INT", "UINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
        ("Numeric value", 100038, "22018"),
    ),
}
"""By DuckDB's word for a type: Snowflake's, its error's number and SQL state."""


def told(text: str) -> tuple[str, int, str] | None:
    """Snowflake's text, number and SQL state for what DuckDB says of a conversion that failed."""
    match = _FIELD.search(text) or _STRING.search(text)
    if match is None or match["kind"] not in _TOLD:
        return None
    what, errno, sqlstate = _TOLD[match["kind"]]
    return f"{what} '{match['text']}' is not recognized", errno, sqlstate
