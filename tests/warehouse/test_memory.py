"""How much memory the server and its workers take does not depend on how many rows there are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import snowflake.connector

from snowcellar.local_server import LocalServer

DUCKDB_MB = 1024
"""What the server is told that DuckDB may take: --memory."""
SERVER_MB = DUCKDB_MB + 512
"""What all of it may take: DuckDB's memory, and Python with its libraries, but no rows."""
WORKER_MB = 256
_SECONDS_BETWEEN_LOOKS = 0.02

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PROCEDURE = """
CREATE PROCEDURE TAKE() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python') HANDLER = 'take' AS $$
def take(session):
    counts = session.sql("INSERT INTO TAKEN SELECT ID, NAME, PRICE, MADE FROM PENDING").collect()
    return counts[0][0]
$$
"""
MERGE = """
MERGE INTO TAKEN USING (SELECT ID + {half} AS ID, NAME, PRICE + 1 AS PRICE, MADE FROM EVENTS) AS E
ON TAKEN.ID = E.ID
WHEN MATCHED THEN UPDATE SET PRICE = E.PRICE
WHEN NOT MATCHED THEN INSERT (ID, NAME, PRICE, MADE) VALUES (E.ID, E.NAME, E.PRICE, E.MADE)
"""


class Peak:
    """The most memory that the server and its workers have had to themselves, in MB."""

    def __init__(self, server: int) -> None:
        self.server = self.worker = 0.0
        self._pid = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            self.server = max(self.server, _private_mb(self._pid))
            self.worker = max([self.worker, *(_private_mb(pid) for pid in _children(self._pid))])

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def _private_mb(pid: int) -> float:
    """What a process shares with nobody; pages of mapped files that the system may drop do not count."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Swap:"))) / 1024


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with LocalServer(tmp_path / "cellar", "--memory", str(DUCKDB_MB)) as started:
        yield started


@pytest.mark.exhaustive
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("rows", [1_000_000, 10_000_000])
def test_rows_are_loaded_streamed_merged_and_fetched_within_bounds(
    server: LocalServer, tmp_path: Path, rows: int
) -> None:
    file, half = tmp_path / "events.parquet", rows // 2
    total = _write_parquet(file, rows)
    connection = server.connect()
    for statement in (
        "CREATE DATABASE BIG",
        "CREATE TABLE EVENTS (ID INT, NAME VARCHAR, PRICE FLOAT, MADE TIMESTAMP_NTZ)",
        "CREATE TABLE TAKEN LIKE EVENTS",
        "CREATE STREAM PENDING ON TABLE EVENTS",
        "CREATE STAGE FILES",
        PROCEDURE,
    ):
        connection.cursor().execute(statement)
    peak = Peak(server.process.pid)

    def run(statement: str) -> list[Any]:
        found: list[Any] = connection.cursor().execute(statement).fetchall()
        most = f"server {peak.server:.0f} MB, worker {peak.worker:.0f} MB"
        sys.stdout.write(f"{rows} rows, {statement.split()[0]}: {most}\n")
        return found

    try:
        run(f"PUT file://{file} @FILES AUTO_COMPRESS = FALSE")
        loaded = run(
            "COPY INTO EVENTS FROM @FILES FILE_FORMAT = (TYPE = PARQUET) "
            "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
        )
        assert loaded[0][3] == rows
        assert run("CALL TAKE()") == [(rows,)]
        assert run("SELECT SYSTEM$STREAM_HAS_DATA('PENDING')") == [(False,)]
        assert run(MERGE.format(half=half)) == [(half, rows - half)]
        assert _sum_of_ids(connection, "SELECT * FROM EVENTS") == (rows, total)
        run("SELECT 1")
    finally:
        peak.end()
        connection.close()
    assert peak.worker < WORKER_MB
    assert peak.server < SERVER_MB


def _write_parquet(file: Path, rows: int) -> int:
    """Write rows in pieces; the sum of their ids."""
    schema = pa.schema(
        [("ID", pa.int64()), ("NAME", pa.string()), ("PRICE", pa.float64()), ("MADE", pa.timestamp("us"))]
    )
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, rows, 500_000):
            ids = pa.array(range(start, min(start + 500_000, rows)), pa.int64())
            names = pc.binary_join_element_wise("bottle number", ids.cast(pa.string()), " ")
            times = pc.add(ids, 1_700_000_000_000_000).cast(pa.timestamp("us"))
            writer.write_table(pa.table([ids, names, ids.cast(pa.float64()), times], schema=schema))
    return rows * (rows - 1) // 2


def _sum_of_ids(connection: snowflake.connector.SnowflakeConnection, query: str) -> tuple[int, int]:
    """How many rows the connector fetches, and the sum of their ids; it is not to hold them either."""
    count = total = 0
    with connection.cursor() as cursor:
        cursor.execute(query)
        for batch in cursor.fetch_arrow_batches():
            count += batch.num_rows
            total += pc.sum(batch["ID"]).as_py()
    return count, total
