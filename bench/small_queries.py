"""What a small statement costs over the wire: the local warehouse, fakesnow's server, and bare DuckDB.

Each contestant has the same table and is sent the same statements by the Snowflake connector (DuckDB: by its
own module). A figure is the median of many statements; the row that each leaves behind is counted.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import duckdb
import snowflake.connector

from bench.harness import OURS, Bound, Comparison, Options, Target, in_turns
from snowcellar.local_server import LocalServer

FAKESNOW: Final = "fakesnow"
DUCKDB: Final = "DuckDB"
WARM_CALL_MS: Final = 50.0
_MERGE: Final = """MERGE INTO STOCK USING (SELECT 7 AS ID, {n} AS QUANTITY) AS CAME ON STOCK.ID = CAME.ID
WHEN MATCHED THEN UPDATE SET QUANTITY = CAME.QUANTITY
WHEN NOT MATCHED THEN INSERT (ID, QUANTITY) VALUES (CAME.ID, CAME.QUANTITY)"""
STATEMENTS: Final = {
    "SELECT 1": "SELECT 1",
    "INSERT of a row": "INSERT INTO STOCK (ID, QUANTITY) VALUES ({n}, 1)",
    "MERGE of a row": _MERGE,
}
_EMPTY_PROCEDURE: Final = """CREATE PROCEDURE NOTHING() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python') HANDLER = 'nothing' AS $$
def nothing(session):
    return 1
$$"""

_FAKESNOW_SERVER: Final = """
import json, logging, sys
import fakesnow
logging.disable(logging.INFO)
with fakesnow.server(session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}) as parameters:
    print(json.dumps(parameters), flush=True)
    sys.stdin.read()
"""

Execute = Callable[[str], Any]


def run(options: Options) -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contestants = {
            OURS: _snowcellar(stack, Path(folder)),
            FAKESNOW: _fakesnow(stack),
            DUCKDB: duckdb.connect(str(Path(folder, "bare.duckdb"))).execute,
        }
        for execute in contestants.values():
            execute("CREATE TABLE STOCK (ID INT, QUANTITY INT)")
            execute("INSERT INTO STOCK (ID, QUANTITY) VALUES (7, 0)")
        repeats = options.count(200)
        for work, statement in STATEMENTS.items():
            works = {name: _timed(execute, statement, repeats) for name, execute in contestants.items()}
            # Nobody's first statement counts: caches fill, files grow.
            for warm_up in works.values():
                warm_up()
            yield Comparison(work, "ms", in_turns(works, options), (Target(FAKESNOW, 1.0, at_least=False),))
        for name, execute in contestants.items():
            _check(name, execute, repeats * (options.runs + 1))
        ours = contestants[OURS]
        ours(_EMPTY_PROCEDURE)
        call = _timed(ours, "CALL NOTHING()", options.count(100))
        call()
        yield Comparison(
            "CALL of an empty procedure, warm", "ms", in_turns({OURS: call}, options), (Bound(WARM_CALL_MS),)
        )


def _timed(execute: Execute, statement: str, repeats: int) -> Callable[[], float]:
    def turn() -> float:
        taken = []
        for number in range(repeats):
            text = statement.format(n=1_000 + number)
            begun = time.perf_counter()
            answer = execute(text)
            answer.fetchall()
            taken.append(time.perf_counter() - begun)
        return statistics.median(taken) * 1_000

    return turn


def _check(name: str, execute: Execute, turns: int) -> None:
    inserted = execute("SELECT COUNT(*) FROM STOCK WHERE ID >= 1000").fetchall()[0][0]
    merged = execute("SELECT COUNT(*) FROM STOCK WHERE ID = 7").fetchall()[0][0]
    if (inserted, merged) != (turns, 1):
        raise SystemExit(
            f"{name} has {inserted} and {merged} rows instead of {turns} and 1: no figure counts"
        )


def _snowcellar(stack: ExitStack, folder: Path) -> Execute:
    connection = stack.enter_context(LocalServer(folder)).connect()
    stack.callback(connection.close)
    cursor = connection.cursor()
    for statement in ("CREATE DATABASE BENCH", "CREATE WAREHOUSE BENCH_WH"):
        cursor.execute(statement)
    execute: Execute = cursor.execute
    return execute


def _fakesnow(stack: ExitStack) -> Execute:
    """Its server in a process of its own, as ours is, and without its log."""
    server = subprocess.Popen(
        [sys.executable, "-c", _FAKESNOW_SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(server.communicate, "")
    assert server.stdout is not None
    parameters = json.loads(server.stdout.readline())
    connection = snowflake.connector.connect(**parameters, database="BENCH", schema="PUBLIC")
    stack.callback(connection.close)
    execute: Execute = connection.cursor().execute
    return execute
