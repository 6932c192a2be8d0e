"""How many statements each call of a procedure cost, from the warehouse's query history.

PARENT_QUERY_ID, the CALL that a statement ran under, is a column of the local warehouse's QUERY_HISTORY; on
an account the same is in ACCOUNT_USAGE.QUERY_HISTORY, hours later.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from snowflake.connector import SnowflakeConnection


@dataclass(frozen=True)
class ProcedureCost:
    """One procedure: how often it was called, and the statements of its dearest call."""

    procedure: str
    calls: int
    most_statements: int

    def as_json(self) -> dict[str, Any]:
        return {"calls": self.calls, "most_statements": self.most_statements}


def procedure_costs(connection: SnowflakeConnection) -> list[ProcedureCost]:
    """Each procedure that was called, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT QUERY_ID, QUERY_TEXT, PARENT_QUERY_ID"
            " FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))"
        )
        return costs(cursor.fetchall())


def costs(history: Iterable[tuple[str, str, str | None]]) -> list[ProcedureCost]:
    """The costs of the calls in a history of (query id, text, parent query id)."""
    rows = list(history)
    statements = Counter(parent for _, _, parent in rows if parent)
    calls: dict[str, list[int]] = {}
    for query_id, text, parent in rows:
        words = text.split("(")[0].split()
        if parent is None and len(words) == 2 and words[0].upper() == "CALL":
            calls.setdefault(words[1].upper().rpartition(".")[2], []).append(statements[query_id])
    return [ProcedureCost(name, len(counts), max(counts)) for name, counts in sorted(calls.items())]
