"""In-memory stand-ins: a sink that is a list, a message, and a connection that answers from a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from snowflake.connector.errors import ProgrammingError

from ingest.batch import Batch
from ingest.errors import FencedError
from ingest.positions import OffsetReset, PartitionLog, StoredOffset
from ingest.settings import ProducerSettings

START = datetime(2025, 6, 2, 12, tzinfo=UTC)


def a_run(bootstrap: str = "", **settings: Any) -> ProducerSettings:
    """A run of the shop with a fixed start, so that it is the same today and next year."""
    return ProducerSettings(bootstrap, **{"start": START, **settings})


@dataclass
class ListSink:
    """Keeps batches in a list and offsets in a dictionary, together; fails as often as `failures` says."""

    offsets: dict[int, int] = field(default_factory=dict)
    generations: dict[int, int] = field(default_factory=dict)
    topic_id: str | None = None
    resets: list[OffsetReset] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    before_load: Callable[[Batch], None] = lambda _: None

    def stored_offsets(self, _: str, logs: Mapping[int, PartitionLog]) -> dict[int, StoredOffset]:
        for partition, log in logs.items():
            self.offsets.setdefault(partition, log.low)
            self.topic_id = self.topic_id or log.topic_id
        return {
            partition: StoredOffset(
                self.offsets[partition], self.generations.get(partition, 0), self.topic_id
            )
            for partition in logs
        }

    def reset_offsets(self, _: str, resets: Sequence[OffsetReset]) -> None:
        for reset in resets:
            self.offsets[reset.partition] = reset.new.next_offset
            self.generations[reset.partition] = reset.new.generation
            self.topic_id = reset.new.topic_id
        self.resets += resets

    def load(self, batch: Batch) -> None:
        self.before_load(batch)
        if self.failures:
            raise self.failures.pop(0)
        if any(self.offsets.get(part.partition) != part.start for part in batch.slices):
            raise FencedError(batch.topic, batch.starts, self.offsets)
        self.offsets.update(batch.ends)
        self.batches.append(batch)

    def close(self) -> None: ...

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.table.to_pylist()]

    @property
    def coordinates(self) -> list[tuple[int, int]]:
        return [(row["kafka_partition"], row["kafka_offset"]) for row in self.rows]


@dataclass(frozen=True)
class FakeMessage:
    """A Kafka message, as the batch sees it."""

    at: int
    content: bytes | None = b"{}"
    name: bytes | None = b"1001"
    place: int = 0
    extra: Any = None

    def partition(self) -> int:
        return self.place

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> Any:
        return self.extra

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000 + self.at


class FakeWarehouse:
    """Offsets that move on COMMIT, and a record of every statement; `fail_at` says what breaks, and how.

    A failure is (first word of the statement, error, happened). When it happened, the statement did its work
    and only its answer was lost.
    """

    def __init__(self, offsets: dict[int, int] | None = None) -> None:
        self.offsets = dict(offsets or {})
        self.statements: list[str] = []
        self.staged: list[pa.Table] = []
        self.committed_rows = 0
        self.failures: list[tuple[str, Exception, bool]] = []
        self.connections = 0
        # Whether a row is beyond what the warehouse can hold: an INSERT of it fails.
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self.rows: list[dict[str, Any]] = []
        self.files: list[str] = []
        # What another session does just when ours begins.
        self.at_begin: Callable[[], object] = lambda: None

    def commit(self, offsets: Mapping[int, int], rows: int) -> None:
        self.offsets.update(offsets)
        self.committed_rows += rows
        self.rows += self.staged[-1].to_pylist() if rows else []

    def connect(self) -> "FakeConnection":
        self.connections += 1
        return FakeConnection(self)


class FakeConnection:
    """One session: what it does in a transaction is seen by others when it commits."""

    def __init__(self, warehouse: FakeWarehouse) -> None:
        self._warehouse = warehouse
        self._pending: dict[int, int] = {}
        self._pending_rows = 0
        self.rowcount = 0
        self._rows: list[tuple[Any, ...]] = []

    def cursor(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self, **_: object) -> None:
        self._roll_back()

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def execute(
        self,
        statement: str,
        parameters: Sequence[Any] | None,
        timeout: int | None,  # noqa: ARG002 - nothing here takes time
        file_stream: BytesIO | None,
    ) -> None:
        word = statement.split()[0]
        self._warehouse.statements.append(word)
        failure = self._warehouse.failures[0] if self._warehouse.failures else None
        if failure is None or failure[0] != word:
            self._do(word, list(parameters or ()), file_stream, statement)
            return
        self._warehouse.failures.pop(0)
        if failure[2]:
            self._do(word, list(parameters or ()), file_stream, statement)
        raise failure[1]

    def _do(self, word: str, parameters: list[Any], file: BytesIO | None, statement: str) -> None:
        self.rowcount, self._rows = 0, []
        match word:
            case "BEGIN":
                self._warehouse.at_begin()
            case "SELECT":
                self._rows = [
                    (partition, at, 0, None, 0) for partition, at in self._warehouse.offsets.items()
                ]
            case "MERGE":
                self._warehouse.offsets.setdefault(parameters[1], parameters[2])
            case "PUT":
                assert file is not None
                self._warehouse.files.append(statement.split()[2])
                self._warehouse.staged.append(pq.read_table(file))
            case "UPDATE":
                self._update(parameters)
            case "INSERT":
                if any(map(self._warehouse.refuses, self._warehouse.staged[-1].to_pylist())):
                    raise ProgrammingError("Max LOB size (16777216) exceeded", errno=100082)
                self._pending_rows = self.rowcount = self._warehouse.staged[-1].num_rows
            case "COMMIT":
                self._warehouse.commit(self._pending, self._pending_rows)
                self._roll_back()
            case "ROLLBACK":
                self._roll_back()

    def _update(self, parameters: list[Any]) -> None:
        # (partition, end) of each slice, the topic, (partition, start, generation) of each slice.
        middle = (len(parameters) - 1) // 5 * 2
        ends = dict(zip(parameters[:middle:2], parameters[1:middle:2], strict=True))
        starts = dict(zip(parameters[middle + 1 :: 3], parameters[middle + 2 :: 3], strict=True))
        held = {p: end for p, end in ends.items() if self._warehouse.offsets.get(p) == starts[p]}
        self._pending, self.rowcount = held, len(held)

    def _roll_back(self) -> None:
        self._pending, self._pending_rows = {}, 0
