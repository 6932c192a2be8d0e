"""What DuckDB says of a statement that it cannot compile, told as Snowflake tells it."""

from __future__ import annotations

import re
from typing import Final

_TOLD: Final = (
    (r'does not have a column (?:with name|named) "(.+?)"', r"invalid identifier '\1'", 904, "42000"),
    (r"Referenced update column (\S+) not found in table", r"invalid identifier '\1'", 904, "42000"),
    (r'Referenced column "(.+?)" was not found', r"invalid identifier '\1'", 904, "42000"),
    (r'Ambiguous reference to column name "(.+?)"', r"ambiguous column name '\1'", 904, "42000"),
    (
        r"(?:has|expected) (\d+) columns but (\d+) values were supplied",
        r"Insert value list does not match column list expecting \1 but got \2",
        2020,
        "21S01",
    ),
    (
        r'column "(.+?)" must appear in the GROUP BY clause',
        r"'\1' in select clause is neither an aggregate nor in the group by clause.",
        979,
        "42601",
    ),
    (
        r"GROUP BY clause cannot contain (?:aggregates|window functions)",
        r"what it groups by is not a valid group by expression",
        979,
        "42601",
    ),
    (r"WHERE clause cannot contain aggregates", r"Invalid aggregate function in where clause", 904, "42000"),
    (
        r"(?:WHERE|HAVING) clause cannot contain window functions",
        r"Window function appears outside of SELECT, QUALIFY, and ORDER BY clauses.",
        904,
        "42000",
    ),
    (r"Frame starting from .* cannot have", r"Invalid window frame", 1003, "42000"),
    (
        r"GROUPING statement cannot be used without groups",
        r"GROUPING function without a GROUP BY",
        904,
        "42000",
    ),
)
"""A pattern of DuckDB's text: Snowflake's, its number and SQL state."""


def told(text: str) -> tuple[str, int, str] | None:
    """Snowflake's text, number and SQL state; None for what is told as DuckDB tells it."""
    for pattern, ours, errno, sqlstate in _TOLD:
        if match := re.search(pattern, text):
            return match.expand(ours), errno, sqlstate
    return None
