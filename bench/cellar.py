"""Our own contestant: a local warehouse in a process of its own, deployed by `caves deploy`."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.outcome import Outcome
from bench.running import CAVES
from caves_cli.statements import ProcedureCost, procedure_costs
from caves_snowpark import names
from caves_snowpark.names import DEFAULT_DATABASE
from ingest.batch import Batch
from ingest.loader import warehouse_sink
from ingest.positions import PartitionLog
from ingest.settings import IngestSettings
from snowcellar.local_server import LocalServer

_ROOT: Final = Path(__file__).parents[1]
# No schedule comes round while a bench runs: what runs is what the bench calls.
_NO_SCHEDULES: Final = ("--database", DEFAULT_DATABASE, "--minute", "86400")
_WAITING: Final = "OPS.WAITING_EVENTS"


class Cellar:
    """A served warehouse."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self._connection = server.connect(database=DEFAULT_DATABASE)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor()
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def deploy(self) -> None:
        for command in ("bootstrap", "deploy"):
            arguments = [str(CAVES), command, "-c", "local", "--config-file", str(self.server.config)]
            done = subprocess.run(arguments, cwd=_ROOT, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stdout + done.stderr)
        self.execute(f"USE DATABASE {DEFAULT_DATABASE}")
        self.execute(f"ALTER TASK {names.ROOT_TASK} SUSPEND")

    def ingest(self, batches: Iterable[Batch]) -> None:
        """Load batches into RAW by the ingestor's own statements."""
        sink = warehouse_sink(IngestSettings("", connection="local", config_file=self.server.config))
        for batch in batches:
            sink.stored_offsets(batch.topic, {part.partition: PartitionLog(0, 0) for part in batch.slices})
            sink.load(batch)
        sink.close()

    def set_aside(self) -> None:
        """Take what RAW has out of it, for `bring_back`; no stream is the wiser."""
        self.execute(f"CREATE OR REPLACE TABLE {_WAITING} AS SELECT * FROM {names.STREAM_RAW_EVENTS}")

    def bring_back(self) -> None:
        columns = "EVENT_TYPE, PRODUCT_ID, CUSTOMER_ID, EVENT_METADATA, EVENT_CONTENT, INGESTION_TIME"
        self.execute(f"INSERT INTO {names.RAW_EVENTS} ({columns}) SELECT {columns} FROM {_WAITING}")

    def tick(self) -> None:
        """What the tasks of the graph call, in their order."""
        for procedure in names.TASK_PROCEDURES.values():
            self.execute(f"CALL {procedure}()")

    def tick_by_its_conditions(self) -> None:
        """A tick as the task graph runs it: a procedure is called if its task's WHEN finds new rows."""
        for task, procedure in names.TASK_PROCEDURES.items():
            [(found,)] = self.execute(f"SELECT SYSTEM$STREAM_HAS_DATA('{_STREAMS[task]}')")
            if str(found).upper() == "TRUE":
                self.execute(f"CALL {procedure}()")

    def costs(self) -> dict[str, ProcedureCost]:
        """What each procedure has cost so far, of those that were called."""
        return {cost.procedure: cost for cost in procedure_costs(self._connection)}

    def outcome(self) -> Outcome:
        return outcome_of(self.execute)

    def close(self) -> None:
        self._connection.close()


_COUNTED: Final = {
    "staged_orders": names.STG_ORDERS,
    "staged_adjustments": names.STG_INVENTORY_ADJUSTMENTS,
    "rejected": names.REJECTED_EVENTS,
    "duplicates": names.DUPLICATE_EVENTS,
    "orders": names.ORDERS,
    "history": names.INVENTORY_HISTORY,
}


def outcome_of(ask: Callable[[str], list[tuple[Any, ...]]]) -> Outcome:
    """What the pipeline holds, whose warehouse answers what it is asked."""
    counts = {what: int(ask(f"SELECT COUNT(*) FROM {table}")[0][0]) for what, table in _COUNTED.items()}
    [(revenue,)] = ask(f"SELECT SUM(TOTAL_AMOUNT) FROM {names.ORDERS}")
    stock = ask(f"SELECT PRODUCT_ID, WAREHOUSE_LOCATION, CURRENT_STOCK_LEVEL FROM {names.INVENTORY_CURRENT}")
    return Outcome(
        **counts,
        revenue_cents=int((revenue or 0) * 100),
        stock={(int(product), str(place)): int(level) for product, place, level in stock},
    )


_STREAMS: Final = {
    names.ROOT_TASK: names.STREAM_RAW_EVENTS,
    names.TASK_ORDERS: names.STREAM_STG_ORDERS,
    names.TASK_INVENTORY_HISTORY: names.STREAM_STG_INVENTORY_FOR_HISTORY,
    names.TASK_INVENTORY_CURRENT: names.STREAM_STG_INVENTORY_FOR_CURRENT,
}


@contextmanager
def cellar(folder: Path) -> Iterator[Cellar]:
    """The warehouse whose state lies in a folder."""
    with LocalServer(folder, *_NO_SCHEDULES) as server:
        served = Cellar(server)
        try:
            yield served
        finally:
            served.close()


@contextmanager
def copied(prepared: Path, folder: Path) -> Iterator[Cellar]:
    """A warehouse that starts from the state of another that has ended, and leaves nothing behind."""
    shutil.copytree(prepared, folder)
    try:
        with cellar(folder) as served:
            yield served
    finally:
        shutil.rmtree(folder)
