"""A small pipeline in full swing, in which every procedure has something to do, and what its tables hold.

partition 0  went through the whole pipeline
partition 1  was rejected by an earlier contract; most of it is valid today and waits for a replay
partition 2  is staged and waits in the streams of STAGING
partition 3  is raw and waits in STREAM_RAW_EVENTS
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from caves_cli import verification
from caves_snowpark import names
from ingest.batch import Batch, MessagesInHand
from ingest.connections import connect
from ingest.loader import WarehouseSink
from ingest.positions import PartitionLog
from ingest.session import WarehouseSession
from tests.events import TOPIC, adjustment, order
from tests.faults.crash_warehouse import CrashWarehouse, Run, deployed, kept_folder, running, short
from tests.ingest.doubles import FakeMessage

CHILDREN: Final = (names.MERGE_ORDERS, names.APPEND_INVENTORY_HISTORY, names.MERGE_INVENTORY_CURRENT)
PROCEDURES: Final = (*CHILDREN, names.REPLAY_REJECTED, names.DISTRIBUTE_RAW_EVENTS)
"""In an order in which none gives the next one anything to do, as long as each runs once."""
TO_THE_END: Final = (names.REPLAY_REJECTED, names.DISTRIBUTE_RAW_EVENTS, *CHILDREN)

State = Mapping[str, "Counter[tuple[Any, ...]]"]
"""The rows of every table and the waiting rows of every stream, without the times of writing."""


def _at(hour: int) -> str:
    return f"2025-07-01T{hour:02}:00:00+02:00"


PROCESSED: Final = (
    order(order_line_id="o1", event_ts=_at(10), product_name="Pauillac", category="Rouge"),
    order(order_line_id="o2", event_ts=_at(10), unit_price=12.5),
    order(order_line_id="o3", event_ts=_at(11), product_id=1002),
    order(order_line_id="o1", event_ts=_at(10), product_name="Pauillac", category="Rouge"),
    order(order_line_id="bad", quantity=0),
    adjustment(event_id="a1", event_ts=_at(8), quantity_change=100, product_name="Pauillac"),
    adjustment(event_id="a2", event_ts=_at(9), quantity_change=-7),
    adjustment(event_id="a3", event_ts=_at(9), quantity_change=40, product_id=1002),
)
ONCE_REJECTED: Final = (
    order(order_line_id="r1", event_ts=_at(12), quantity=2),
    adjustment(event_id="r2", event_ts=_at(12), quantity_change=5),
    order(order_line_id="o2", event_ts=_at(10), unit_price=12.5),
    adjustment(event_id="r3", event_ts=_at(12), warehouse_location=None),
)
STAGED: Final = (
    order(order_line_id="o2", event_ts=_at(13), unit_price=11.99),
    order(order_line_id="o1", event_ts=_at(9), quantity=90),
    order(order_line_id="o4", event_ts=_at(13), total_price="100.01"),
    adjustment(event_id="a1", event_ts=_at(13), quantity_change=96, product_name="Pauillac 2019"),
    adjustment(event_id="a4", event_ts=_at(13), quantity_change=12, warehouse_location="LYON-CONFLUENCE"),
)
RAW: Final = (
    order(order_line_id="o5", event_ts=_at(14)),
    order(order_line_id="o3", event_ts=_at(15), product_id=1002, quantity=1),
    order(order_line_id="o3", event_ts=_at(15), product_id=1002, quantity=1),
    order(order_line_id="o6", unit_price="PROD-1"),
    adjustment(event_id="a5", event_ts=_at(14), quantity_change=-3),
    adjustment(event_id="a2", event_ts=_at(9), quantity_change=-7),
    [1, 2],
    None,
)
_TABLES: Final = tuple(name for name in names.TABLES)
_SOURCES: Final = (names.RAW_EVENTS, names.STG_ORDERS, names.STG_INVENTORY_ADJUSTMENTS)


def batch_of(events: Iterable[Any], partition: int, start: int = 0) -> Batch:
    """Events as the ingestor would hold them after reading a partition."""
    hand = MessagesInHand(TOPIC)
    values = [None if event is None else json.dumps(event).encode() for event in events]
    hand.add(
        (FakeMessage(start + n, value, place=partition) for n, value in enumerate(values)), {partition: start}
    )
    return hand.batch({partition: start})


def sink_of(warehouse: CrashWarehouse) -> WarehouseSink:
    return WarehouseSink(WarehouseSession(lambda: connect("local", warehouse.config_file), "here"))


def take_over(sink: WarehouseSink, partition: int) -> int:
    """Where reading a partition goes on; it begins at 0."""
    return sink.stored_offsets(TOPIC, {partition: PartitionLog(0, 0)})[partition].next_offset


def load(warehouse: CrashWarehouse, events: Iterable[Any], partition: int) -> None:
    """Bring events into RAW, as the first of their partition."""
    sink = sink_of(warehouse)
    take_over(sink, partition)
    sink.load(batch_of(events, partition))
    sink.close()


@contextmanager
def prepared(folder: Path, **options: Any) -> Iterator["Scenario"]:
    """The scenario in a running warehouse of its own, at its start."""
    with running(_template(), folder, **options) as warehouse:
        yield Scenario(warehouse)


@cache
def _template() -> Path:
    """The files of a warehouse at the start of the scenario, made once a test process."""
    folder = kept_folder()
    with deployed(folder) as warehouse:
        Scenario(warehouse).prepare()
        warehouse.stop()
    return folder


@dataclass
class Scenario:
    """The state from which every crash starts, and the way back to it."""

    warehouse: CrashWarehouse

    def prepare(self) -> None:
        """Bring the empty pipeline to the start of the scenario, and keep a copy of it."""
        warehouse = self.warehouse
        with warehouse.session() as run:
            load(warehouse, PROCESSED, 0)
            for procedure in (names.DISTRIBUTE_RAW_EVENTS, *CHILDREN):
                run(f"CALL {procedure}()")
            load(warehouse, ONCE_REJECTED, 1)
            run(_REJECT)
            load(warehouse, STAGED, 2)
            run(f"CALL {names.DISTRIBUTE_RAW_EVENTS}()")
            load(warehouse, RAW, 3)
            run("CREATE SCHEMA SAVED")
            run("CREATE TABLE SAVED.NOTHING (A VARCHAR)")
            for table in _TABLES:
                run(f"CREATE TABLE SAVED.{short(table)} AS SELECT * FROM {table}")

    def reset(self, run: Run) -> None:
        """Go back to the start."""
        run("BEGIN")
        for table in _TABLES:
            run(f"DELETE FROM {table}")
            settled = f" WHERE NOT {_waits(table)}" if table in _SOURCES else ""
            run(f"INSERT INTO {table} SELECT * FROM SAVED.{short(table)}{settled}")
        run("COMMIT")
        for stream in names.STREAMS:
            run(f"INSERT INTO SAVED.NOTHING SELECT METADATA$ACTION FROM {stream} WHERE FALSE")
        run("BEGIN")
        for table in _SOURCES:
            run(f"INSERT INTO {table} SELECT * FROM SAVED.{short(table)} WHERE {_waits(table)}")
        run("COMMIT")

    def state(self, run: Run) -> State:
        """What the tables and streams hold now."""
        state = {
            table: Counter(run(f"SELECT {columns} FROM {table}")) for table, columns in self._columns.items()
        }
        for stream in names.STREAMS:
            place = _COORDINATES if stream == names.STREAM_RAW_EVENTS else "SOURCE_PARTITION, SOURCE_OFFSET"
            state[stream] = Counter(run(f"SELECT METADATA$ACTION, {place} FROM {stream}"))
        return state

    @cached_property
    def _columns(self) -> dict[str, str]:
        """What is compared of each table: all but the times at which a row was written."""
        with self.warehouse.session() as run:
            found = {table: [row[0] for row in run(f"DESCRIBE TABLE {table}")] for table in _TABLES}
        return {
            table: ", ".join(
                f"{name} IS NULL" if name.endswith("_AT") or name == "INGESTION_TIME" else name
                for name in columns
            )
            for table, columns in found.items()
        }


def after(state: State, *changes: State) -> State:
    """A state after changes, each of which says how many of each row come or go."""
    names_ = {name for part in (state, *changes) for name in part}
    result = {name: Counter(state.get(name, Counter())) for name in names_}
    for change in changes:
        for name, rows in change.items():
            result[name].update(rows)
    return {name: Counter({row: n for row, n in rows.items() if n}) for name, rows in result.items()}


def change(before: State, now: State) -> State:
    """What turns one state into another."""
    result = {name: Counter(now[name]) for name in now}
    for name, rows in before.items():
        result[name].subtract(rows)
    return {name: Counter({row: n for row, n in rows.items() if n}) for name, rows in result.items()}


def differences(expected: State, found: State) -> dict[str, list[Any]]:
    """By table or stream: the rows that are missing, and those that should not be there."""
    return {
        name: [f"missing {n} x {row}" if n < 0 else f"too many, {n} x {row}" for row, n in rows.items()]
        for name, rows in change(expected, found).items()
        if rows
    }


def run_to_the_end(run: Run) -> None:
    """Call every procedure, as a person or the tasks would after a fault."""
    for procedure in TO_THE_END:
        run(f"CALL {procedure}()")


def broken_invariants(warehouse: CrashWarehouse) -> list[Any]:
    """What breaks any of the seven invariants."""
    with warehouse.target.open() as connection:
        return [(v.invariant.name, v.offenders[:3]) for v in verification.verify(connection) if not v.holds]


_COORDINATES: Final = "EVENT_METADATA:partition::NUMBER(38, 0), EVENT_METADATA:offset::NUMBER(38, 0)"
_REJECT: Final = f"""
INSERT INTO {names.REJECTED_EVENTS} (
    EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, REASONS, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET,
    INGESTION_TIME, REJECTED_AT
)
SELECT
    EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, ARRAY_CONSTRUCT('EVENT_TYPE_UNKNOWN'),
    EVENT_METADATA:topic::VARCHAR, {_COORDINATES}, SYSDATE(), SYSDATE()
FROM {names.STREAM_RAW_EVENTS}
"""


def _waits(table: str) -> str:
    """Whether a row of a stream's table waits in the stream at the start of the scenario."""
    if table == names.RAW_EVENTS:
        return "(EVENT_METADATA:partition::NUMBER(38, 0) = 3)"
    return "(SOURCE_PARTITION = 2)"
