"""A failure in every gap between two statements of the ingestor's load, against a real warehouse.

Whatever breaks, and whether the last statement took effect or not, the same batch given again by the same
process, or read again by the next one, is in RAW once.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from snowflake.connector.errors import OperationalError

from caves_snowpark import names
from ingest.batch import Batch
from ingest.connections import connect
from ingest.errors import WarehouseUnreachable
from ingest.loader import WarehouseSink
from ingest.session import WarehouseSession
from tests.events import TOPIC, order
from tests.faults.crash_scenario import batch_of, take_over
from tests.ingest.warehouse import LocalWarehouse

ROWS = 5
PARTITION = 0
# What a load sends today, and no more: a new statement is a new place to fail.
STATEMENTS = ["PUT", "BEGIN", "INSERT", "UPDATE", "COMMIT", "REMOVE"]
COORDINATES = "EVENT_METADATA:partition::NUMBER(38, 0), EVENT_METADATA:offset::NUMBER(38, 0)"


@dataclass
class Gaps:
    """Counts the statements of a sink's connections; in one gap something happens, once."""

    gap: int | None = None
    happens: Callable[[], object] = lambda: None
    sent: list[str] = field(default_factory=list)

    @property
    def is_ahead(self) -> bool:
        """Whether it has yet to happen."""
        return self.gap is not None

    def pass_by(self) -> None:
        if self.gap == len(self.sent):
            self.gap = None
            self.happens()


class WatchedConnection:
    """A connection of the connector, each of whose statements is counted."""

    def __init__(self, connection: Any, gaps: Gaps) -> None:
        self._connection = connection
        self._gaps = gaps

    def cursor(self) -> Any:
        cursor, gaps = self._connection.cursor(), self._gaps
        execute = cursor.execute

        def counted(statement: str, *arguments: Any, **options: Any) -> Any:
            gaps.pass_by()
            answer = execute(statement, *arguments, **options)
            gaps.sent.append(statement.split()[0])
            gaps.pass_by()
            return answer

        cursor.execute = counted
        return cursor

    def close(self, **options: Any) -> None:
        self._connection.close(**options)


def sink_with(warehouse: LocalWarehouse, gaps: Gaps) -> WarehouseSink:
    def open_() -> Any:
        return WatchedConnection(connect("local", warehouse.config_file), gaps)

    return WarehouseSink(WarehouseSession(open_, "here"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    warehouse = LocalWarehouse(tmp_path_factory.mktemp("ingest"))
    warehouse.start()
    warehouse.deploy()
    yield warehouse
    warehouse.kill(signal.SIGTERM)


@pytest.fixture
def warehouse(served: LocalWarehouse) -> LocalWarehouse:
    with served.session() as run:
        for table in (names.RAW_EVENTS, names.KAFKA_OFFSETS):
            run(f"DELETE FROM {table}")
    return served


def the_batch() -> Batch:
    return batch_of((order(order_line_id=f"o{n}") for n in range(ROWS)), PARTITION)


def check_loaded_once(warehouse: LocalWarehouse) -> None:
    with warehouse.session() as run:
        assert sorted(run(f"SELECT {COORDINATES} FROM {names.RAW_EVENTS}")) == [
            (PARTITION, n) for n in range(ROWS)
        ]
        assert run(f"SELECT NEXT_OFFSET FROM {names.KAFKA_OFFSETS} WHERE TOPIC = '{TOPIC}'") == [(ROWS,)]


def test_a_load_sends_no_other_statements_than_these(warehouse: LocalWarehouse) -> None:
    gaps = Gaps()
    sink = sink_with(warehouse, gaps)
    take_over(sink, PARTITION)
    gaps.sent.clear()
    sink.load(the_batch())
    sink.close()
    assert gaps.sent == STATEMENTS
    check_loaded_once(warehouse)


@pytest.mark.parametrize("gap", range(len(STATEMENTS) + 1))
@pytest.mark.parametrize("killed", [False, True], ids=["connection lost", "warehouse killed"])
def test_a_load_that_breaks_off_in_any_gap_is_repeated_and_loads_once(
    warehouse: LocalWarehouse, gap: int, killed: bool
) -> None:
    def break_off() -> None:
        if killed:
            warehouse.kill()
            warehouse.start()
        raise OperationalError("connection reset")

    gaps = Gaps()
    sink = sink_with(warehouse, gaps)
    take_over(sink, PARTITION)
    gaps.sent.clear()
    gaps.gap, gaps.happens = gap, break_off
    batch = the_batch()
    if gap <= STATEMENTS.index("REMOVE"):
        with pytest.raises(WarehouseUnreachable):
            sink.load(batch)
        sink.load(batch)
    else:
        sink.load(batch)
    assert not gaps.is_ahead
    sink.close()
    check_loaded_once(warehouse)


def load_and_die(warehouse: LocalWarehouse, gap: int) -> NoReturn:
    """What the child process does: it never comes back."""
    with suppress(BaseException):
        gaps = Gaps()
        sink = sink_with(warehouse, gaps)
        take_over(sink, PARTITION)
        gaps.sent.clear()
        gaps.gap, gaps.happens = gap, lambda: os.kill(os.getpid(), signal.SIGKILL)
        sink.load(the_batch())
    os._exit(1)


@pytest.mark.parametrize("gap", range(len(STATEMENTS) + 1))
def test_an_ingestor_killed_in_any_gap_is_followed_by_one_that_loads_once(
    warehouse: LocalWarehouse, gap: int
) -> None:
    child = os.fork()
    if child == 0:
        load_and_die(warehouse, gap)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    gaps = Gaps()
    sink = sink_with(warehouse, gaps)
    start = take_over(sink, PARTITION)
    assert start == (ROWS if gap > STATEMENTS.index("COMMIT") else 0)
    if start == 0:
        sink.load(the_batch())
    sink.close()
    check_loaded_once(warehouse)
