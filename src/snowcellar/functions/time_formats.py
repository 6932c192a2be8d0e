"""Snowflake's time formats, as DuckDB's strftime and strptime write them; what they lack is refused.

Source: https://docs.snowflake.com/en/sql-reference/date-time-input-output
"""

from __future__ import annotations

import re

from sqlglot import exp

from snowcellar.errors import Unsupported

_ELEMENTS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a",
    "HH24": "%H", "HH12": "%I", "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S",
    "FF9": "%n", "FF6": "%f", "FF3": "%g", "FF": "%n", "TZH:TZM": "%z", "TZHTZM": "%z", "TZH": "%z",
}  # fmt: skip
_FORMAT = re.compile(
    "|".join([*_ELEMENTS, r'"[^"]*"', r"[-/:., TZ]"]),
    re.IGNORECASE,
)


def duckdb_format(given: exp.Expr, of: str, *, reads: bool = False) -> exp.Expr:
    """The format that a function was given. of: the function's name. reads: a text is read, not written."""
    text = given.name if isinstance(given, exp.Literal) and given.is_string else ""
    elements = _FORMAT.findall(text)
    if not elements or "".join(elements) != text:
        raise Unsupported(f"{of} with the format {given.sql(dialect='snowflake')}")
    written = "".join(_ELEMENTS.get(each.upper(), each.strip('"')) for each in elements)
    # As much of a second as there is: DuckDB takes one to nine digits for it.
    return exp.Literal.string(re.sub("%[fg]", "%n", written) if reads else written)
