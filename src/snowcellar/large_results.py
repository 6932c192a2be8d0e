"""Large results: they lie in a file, not in memory, and the connector fetches them chunk by chunk.

Source: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-distributed-fetch

The file has no name any more once it is mapped: the system frees it with its last reader, also after a crash.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from snowcellar import wire
from snowcellar.result import Result

CHUNK_BYTES = 8 * 1024 * 1024
"""About as much of a result goes into one answer; what is larger goes into a file."""
KEPT_FILE_BYTES = 8 * 1024**3
"""Of results that clients may still fetch from; the last one is kept whatever its size."""
_BATCH_ROWS = 50_000

_BY_NAME: dict[str, type[duckdb.Error]] = {
    "Invalid Input Error": duckdb.InvalidInputException,
    "Conversion Error": duckdb.ConversionException,
    "Out of Range Error": duckdb.OutOfRangeException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "INTERRUPT Error": duckdb.InterruptException,
    "IO Error": duckdb.IOException,
}


def batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a DuckDB result; what fails after the first is DuckDB's error again, and no OSError."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except OSError as error:
            raise _BY_NAME.get(str(error).partition(":")[0], duckdb.Error)(str(error)) from error
        yield batch


def table_of(relation: duckdb.DuckDBPyRelation, folder: Path) -> pa.Table:
    """The rows of a relation, in memory if they are few; else in a file that is made in the folder."""
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    taken, size, rest = [], 0, batches(reader)
    for batch in rest:
        taken.append(batch)
        size += batch.nbytes
        if size > CHUNK_BYTES:
            return _mapped(reader.schema, taken, rest, folder)
    return pa.Table.from_batches(taken, reader.schema)


def _mapped(
    schema: pa.Schema, taken: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch], folder: Path
) -> pa.Table:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / token_urlsafe(16)
    try:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in taken:
                writer.write_batch(batch)
            taken.clear()
            for batch in rest:
                writer.write_batch(batch)
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def is_large(result: Result) -> bool:
    """Whether a result is handed out in chunks."""
    return bool(result.table.nbytes > CHUNK_BYTES and result.table.num_rows > 1)


class Chunks:
    """The results that clients fetch from, each behind a ticket of its own: the addresses bear no token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Result] = OrderedDict()

    def offer(self, request: Request, result: Result) -> tuple[Result, list[dict[str, Any]]]:
        """The first rows, which go into the answer, and where the client finds the others."""
        ticket = token_urlsafe(16)
        with self._lock:
            self._results[ticket] = result
            while len(self._results) > 1 and self._bytes() > KEPT_FILE_BYTES:
                self._results.popitem(last=False)
        slices = _slices(result.table)
        place = f"{request.url.scheme}://{request.url.netloc}/results/{quote(ticket)}"
        chunks = [
            {
                "url": f"{place}/{number}",
                "rowCount": rows.num_rows,
                "uncompressedSize": rows.nbytes,
                "compressedSize": rows.nbytes,
            }
            for number, rows in enumerate(slices)
        ]
        return dataclasses.replace(result, table=slices[0]), chunks[1:]

    def _bytes(self) -> int:
        return sum(result.table.nbytes for result in self._results.values())

    def find(self, ticket: str, number: int) -> Result | None:
        """The rows of one chunk."""
        with self._lock:
            result = self._results.get(ticket)
        slices = _slices(result.table) if result is not None else []
        if result is None or not 0 <= number < len(slices):
            return None
        return dataclasses.replace(result, table=slices[number])


def _slices(table: pa.Table) -> list[pa.Table]:
    count = -(-table.nbytes // CHUNK_BYTES)
    rows = max(1, -(-table.num_rows // count))
    return [table.slice(start, rows) for start in range(0, table.num_rows, rows)]


async def fetch(request: Request) -> Response:
    """One chunk, as the answer's own rows are: an Arrow stream."""
    chunks: Chunks = request.app.state.result_chunks
    result = chunks.find(request.path_params["ticket"], request.path_params["number"])
    if result is None:
        return Response(status_code=404)
    return Response(await run_in_threadpool(wire.arrow_stream, result), media_type="application/octet-stream")
