"""How Snowflake behaves, in 36 facts: what each test marked `fact(number)` shows of snowcellar.

The numbers are those that docstrings cite as SEMANTICS. Pages are under docs.snowflake.com/en/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FACTS: dict[int, str] = {
    # user-guide/streams-intro, sql-reference/sql/create-stream
    1: "a stream's offset moves when a DML statement that reads it commits, even if it writes nothing",
    2: "within a transaction a stream shows the same rows, without what the transaction itself writes",
    3: "a standard stream shows the minimal net change; an update is a pair with METADATA$ISUPDATE",
    4: "an append-only stream shows inserts alone, also of rows deleted since",
    5: "a stream's columns are the source's, then three METADATA$ columns; a row's id lasts",
    6: "SHOW_INITIAL_ROWS shows first the rows that there were when the stream was made",
    7: "a stream goes stale: by time, or when its table is replaced, but not when it is renamed",
    8: "several streams on one table, on a view, at another stream's offset",
    9: "SYSTEM$STREAM_HAS_DATA is never FALSE while there are rows to show",
    10: "the columns of SHOW STREAMS",
    # user-guide/tasks-intro, tasks-graphs, tasks-triggered, sql-reference/sql/create-task
    11: "a task is created suspended; what a graph may hold",
    12: "a task runs when all its predecessors have succeeded; a skipped one holds back what follows",
    13: "a graph is changed only while its root is suspended (091421)",
    14: "EXECUTE TASK is for roots, asynchronous, works on a suspended root; RETRY LAST",
    15: "runs of a graph overlap as its OVERLAP_POLICY says",
    16: "suspension after failures, automatic retries, a limit of time",
    17: "a triggered task waits for a stream and has no schedule",
    18: "WHEN asks streams, predecessors and nothing else",
    19: "a finalizer runs when all others have ended",
    20: "schedules, the graph's version, the owner's role, return values",
    21: "the columns of SHOW TASKS",
    22: "the columns, states and limits of TASK_HISTORY",
    # sql-reference/sql/merge
    23: "MERGE: several matches, the order of the clauses, the columns of the result",
    # sql-reference/transactions
    24: "DDL commits, TRUNCATE does not; a failed statement leaves the transaction open; BEGIN twice",
    25: "a procedure's transactions have a scope of their own",
    26: "READ COMMITTED; UPDATE, DELETE and MERGE lock the table, INSERT does not",
    # sql-reference/sql/create-procedure, developer-guide/stored-procedure
    27: "owner's rights resolve names and see variables otherwise than caller's rights",
    28: "what a Python procedure must and may not have",
    # sql-reference: data-types-numeric, constraints-overview, identifiers-syntax, sql/create-schema
    29: "NUMBER is (38, 0) and rounds half away from zero; 1 / 0 is an error",
    30: "keys are not enforced, NOT NULL and CHECK are",
    31: "JSON null is a value, a missing path is NULL",
    32: "unquoted names are upper case, the columns of SHOW lower case",
    33: "CREATE SCHEMA and CREATE DATABASE change what is current",
    34: "timestamps, their zones, and the session's TIMEZONE",
    35: "COPY INTO passes over a file that it has loaded; FORCE loads it again",
    36: "a service user has no password",
}


def cited_facts(folder: Path) -> Iterator[tuple[int, str]]:
    """(number, file and line) of every `pytest.mark.fact(...)` in a folder's tests."""
    for file in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fact":
                for argument in node.args:
                    yield int(ast.unparse(argument)), f"{file.name}:{node.lineno}"
