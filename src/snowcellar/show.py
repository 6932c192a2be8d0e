"""What the SHOW statements share: LIKE, IN, STARTS WITH and LIMIT over rows that are already there.

Source: https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from fakesnow import statement_type

from snowcellar.errors import CompilationError
from snowcellar.names import NAME, split
from snowcellar.result import Result
from snowcellar.session import Session

_CLAUSES = re.compile(
    r"\s*(?:LIKE\s+'(?P<like>(?:[^']|'')*)')?"
    rf"\s*(?:IN\s+(?:(?P<account>ACCOUNT)|(?P<kind>DATABASE|SCHEMA)(?:\s+(?P<of>{NAME}))?|(?P<schema>{NAME})))?"
    r"\s*(?:STARTS\s+WITH\s+'(?P<starts>(?:[^']|'')*)')?"
    r"\s*(?:LIMIT\s+(?P<limit>\d+)(?:\s+FROM\s+'(?P<start>(?:[^']|'')*)')?)?\s*\Z",
    re.IGNORECASE,
)


def answer(
    session: Session,
    clauses: str,
    columns: Sequence[tuple[str, pa.DataType]],
    rows: Sequence[Sequence[Any]],
    types: Mapping[str, str] | None = None,
) -> Result:
    """The rows that the clauses of a SHOW statement leave.

    rows: all there are, in the order to show; columns name, database_name (or catalog_name) and schema_name
    are what the clauses speak of.
    """
    match = _CLAUSES.match(clauses)
    if match is None:
        raise CompilationError(f"syntax error: unexpected '{clauses.strip()}'.")
    keep = _filter(session, match, [name for name, _ in columns])
    kept = [row for row in rows if keep(row)]
    if match["limit"]:
        kept = kept[: int(match["limit"])]
    return Result.rows(columns, kept, types, statement_type=statement_type.SHOW)


def _filter(session: Session, match: re.Match[str], names: Sequence[str]) -> Callable[[Sequence[Any]], bool]:
    database, schema = _scope(session, match)
    like = (
        re.compile(like_pattern(match["like"]), re.IGNORECASE | re.DOTALL)
        if match["like"] is not None
        else None
    )
    starts, start = match["starts"] or "", match["start"] or ""

    def keep(row: Sequence[Any]) -> bool:
        values = dict(zip(names, row, strict=True))
        name = str(values.get("name", ""))
        return (
            (database is None or _database(values, database) == database)
            and (schema is None or values.get("schema_name", schema) == schema)
            and (like is None or like.fullmatch(name) is not None)
            and name.startswith(starts)
            and name >= start
        )

    return keep


def _database(values: Mapping[str, Any], default: str) -> Any:
    return values.get("database_name", values.get("catalog_name", default))


def _scope(session: Session, match: re.Match[str]) -> tuple[str | None, str | None]:
    if match["account"]:
        return None, None
    if match["kind"] and match["kind"].upper() == "DATABASE":
        return (split(match["of"])[0] if match["of"] else session.database), None
    if named := match["of"] or match["schema"]:
        parts = split(named)
        return (parts[0] if len(parts) > 1 else session.database), parts[-1]
    return session.database, session.schema


def like_pattern(like: str) -> str:
    """An SQL LIKE pattern as a regular expression."""
    parts = re.split(r"(\\.|%|_)", like.replace("''", "'"))
    table = {"%": ".*", "_": "."}
    return "".join(
        table.get(part, re.escape(part[1:] if len(part) == 2 and part[0] == "\\" else part)) for part in parts
    )
