"""SHOW of tables, views and their kin with STARTS WITH and LIMIT, and of kinds of tables that are never here.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-tables
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from snowcellar.grants import rules
from snowcellar.result import Result
from snowcellar.session import Session

_KINDS = r"TABLES|VIEWS|OBJECTS|COLUMNS|SEQUENCES|STAGES|FILE\s+FORMATS"
_SHOW = re.compile(
    rf"(?P<listed>SHOW\s+(?:TERSE\s+)?(?:{_KINDS})\b.*?)(?P<starts>\s+STARTS\s+WITH\s+'(?P<start>(?:[^']|'')*)')?"
    r"(?P<limit>\s+LIMIT\s+(?P<most>\d+)(?:\s+FROM\s+'(?P<after>(?:[^']|'')*)')?)?\Z",
    re.IGNORECASE | re.DOTALL,
)
_NONE = re.compile(
    r"SHOW\s+(?:TERSE\s+)?(?:ICEBERG\s+TABLES|DYNAMIC\s+TABLES|EXTERNAL\s+TABLES|HYBRID\s+TABLES|EVENT\s+TABLES"
    r"|MATERIALIZED\s+VIEWS)\b(?P<rest>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)


def show(session: Session, match: re.Match[str]) -> Result:
    """What the engine lists, with fewer rows."""
    from snowcellar import engine
    from snowcellar.statement import Statement

    if not match["starts"] and not match["limit"]:
        return engine.run(session, Statement(match.string), None)
    result = engine.run(session, Statement(match["listed"]), None)
    table = result.table
    named = "column_name" if "column_name" in table.column_names else "name"
    if match["starts"]:
        start = match["start"].replace("''", "'")
        table = table.filter(pc.starts_with(table[named], start))
    if match["after"]:
        table = table.filter(pc.greater(table[named], pa.scalar(match["after"].replace("''", "'"))))
    if match["most"]:
        table = table.slice(0, int(match["most"]))
    return Result(table, result.types, table.num_rows, result.statement_type)


def show_none(session: Session, match: re.Match[str]) -> Result:
    """Tables of a kind that cannot be made here: none."""
    result = session.execute(f"SHOW TABLES{match['rest']}")
    return Result(result.table.slice(0, 0), result.types, 0, result.statement_type)


STATEMENTS = [(_NONE, show_none), (_SHOW, show)]
# The engine lists what may be seen.
RULES = dict.fromkeys((show, show_none), rules.free)
