"""How many statements each call of a procedure cost, from the warehouse's query history.

Apart from them stand the times that Snowpark asked for the columns of a statement (DESCRIBE_QUERY): these are
compiled and not run.

PARENT_QUERY_ID, the CALL that a statement ran under, is a column of the local warehouse's QUERY_HISTORY; on
an account the same is in ACCOUNT_USAGE.QUERY_HISTORY, hours later.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from snowflake.connector import SnowflakeConnection

DESCRIBE_QUERY = "DESCRIBE_QUERY"


@dataclass(frozen=True)
class ProcedureCost:
    """One procedure: how often it was called, and the most that a call ran and asked to have described."""

    procedure: str
    calls: int
    most_statements: int
    most_describes: int

    def as_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "most_statements": self.most_statements,
            "most_describes": self.most_describes,
        }


def procedure_costs(connection: SnowflakeConnection) -> list[ProcedureCost]:
    """Each procedure that was called, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT QUERY_ID, QUERY_TEXT, PARENT_QUERY_ID, QUERY_TYPE"
            " FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))"
        )
        return costs(cursor.fetchall())


def costs(history: Iterable[tuple[str, str, str | None, str]]) -> list[ProcedureCost]:
    """The costs of the calls in a history of (query id, text, parent query id, query type)."""
    rows = list(history)
    statements = Counter(parent for _, _, parent, kind in rows if parent and kind != DESCRIBE_QUERY)
    describes = Counter(parent for _, _, parent, kind in rows if parent and kind == DESCRIBE_QUERY)
    calls: dict[str, list[str]] = {}
    for query_id, text, parent, _ in rows:
        words = text.split("(")[0].split()
        if parent is None and len(words) == 2 and words[0].upper() == "CALL":
            calls.setdefault(words[1].upper().rpartition(".")[2], []).append(query_id)
    return [
        ProcedureCost(
            name, len(ids), max(statements[query] for query in ids), max(describes[query] for query in ids)
        )
        for name, ids in sorted(calls.items())
    ]
