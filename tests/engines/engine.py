"""The pipeline on each engine: messages in, rows of every table out, from the project's own code alone.

On snowcellar the tables are those of deploy/, and the messages come in by the ingestor's own statements.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_snowpark import names, schemas
from ingest.batch import MessagesInHand
from ingest.connections import load_connection
from ingest.loader import warehouse_sink
from ingest.positions import PartitionLog, next_offsets
from ingest.settings import IngestSettings
from procedures import append_inventory_history, distribute_raw_events, merge_inventory_current, merge_orders
from snowcellar.local_server import LocalServer
from tests.deploy_files import ACCOUNT, run_files
from tests.events import TOPIC, Message
from tests.unit import emulator
from tests.unit.local_warehouse import LocalWarehouse

Rows = dict[str, list[str]]
# A procedure and the arguments that an operator calls it with.
Call = tuple[ModuleType, tuple[Any, ...]]

PROCEDURES = (distribute_raw_events, merge_orders, append_inventory_history, merge_inventory_current)
SQL_FILES = (
    ACCOUNT,
    "010_foundation",
    "020_raw",
    "030_staging",
    "040_production",
    "050_streams",
    "060_ingest",
    "065_data_life",
    "080_analytics",
    "081_analytics_sales",
    "082_analytics_customers",
    "083_analytics_stock",
    "084_analytics_pipeline",
    "085_alert_log",
    "089_deployment",
)
DATABASE = "ENGINES_DB"

COMPARED = (
    names.STG_ORDERS,
    names.STG_INVENTORY_ADJUSTMENTS,
    names.REJECTED_EVENTS,
    names.DUPLICATE_EVENTS,
    names.REPLAY_LOG,
    names.ORDERS,
    names.INVENTORY_HISTORY,
    names.INVENTORY_CURRENT,
)
# When a row was written differs from run to run. How an engine spells a JSON text is its own affair, and
# with it the hash; whether two texts are the same is not, and shows in the duplicates.
NOT_COMPARED = {"STAGED_AT", "REJECTED_AT", "REPLAYED_AT", "DETECTED_AT", "CREATED_AT", "UPDATED_AT"}
NOT_COMPARED |= {"DISMISSED_AT", "ACTED_AT", "CORRECTED_CONTENT"}
NOT_COMPARED |= {"INGESTION_TIME", "EVENT_CONTENT", "EVENT_METADATA", "EVENT_TYPE", "CONTENT_HASH"}


class KafkaRecord:
    """A test's message in the shape of confluent_kafka.Message."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def partition(self) -> int:
        return self._message.partition

    def offset(self) -> int:
        return self._message.offset

    def key(self) -> bytes:
        return b"1001"

    def value(self) -> bytes | None:
        return self._message.value

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 1_751_371_200_000)


class Snowcellar:
    """A served warehouse with the tables of deploy/."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.session = Session.builder.configs(dict(load_connection("local", config))).create()
        self.sink = warehouse_sink(IngestSettings("unused", connection="local", config_file=config))
        self.deploy(*SQL_FILES)

    def deploy(self, *names: str, database: str = DATABASE) -> None:
        """Run files of deploy/, by their names."""
        run_files(lambda statement: self.session.sql(statement).collect(), *names, CAVES_DATABASE=database)

    @classmethod
    @contextlib.contextmanager
    def serve(cls, folder: Path) -> Iterator[Snowcellar]:
        with LocalServer(folder, "--database", DATABASE) as server:
            engine = cls(server.config)
            yield engine
            engine.sink.close()
            engine.session.close()

    def run(self, batches: Sequence[Sequence[Message]], calls: Sequence[Call] = ()) -> Rows:
        """Empty the tables, load each batch and run the four procedures on it; then again after the calls."""
        self.empty()
        for batch in batches:
            self.load(batch)
            self.tick()
        for procedure, arguments in calls:
            procedure.main(self.session, *arguments)
        if calls:
            self.tick()
        return {table: _rows(self.session, table) for table in COMPARED}

    def empty(self) -> None:
        """Delete every row, and let no stream know."""
        for table in schemas.TABLES.keys() - {names.RETENTION, names.ALERT_LOG, names.DEPLOYMENTS}:
            self.session.sql(f"DELETE FROM {table}").collect()
        for stream in names.STREAMS:
            nothing = f"SELECT '', 0, 0, 0, SYSDATE(), '', 0 FROM {stream} WHERE 0 = 1"
            self.session.sql(f"INSERT INTO {names.KAFKA_OFFSETS} {nothing}").collect()

    def tick(self) -> None:
        """The four procedures, in the order of their tasks."""
        for procedure in PROCEDURES:
            procedure.main(self.session)

    def load(self, batch: Sequence[Message]) -> None:
        """What the ingestor does with a batch."""
        if not batch:
            return
        logs = {message.partition: PartitionLog(0, 0) for message in batch}
        stored = next_offsets(self.sink.stored_offsets(TOPIC, logs))
        in_hand = MessagesInHand(TOPIC)
        in_hand.add((KafkaRecord(message) for message in batch), stored)
        self.sink.load(in_hand.batch(stored))


def run_locally(batches: Sequence[Sequence[Message]], calls: Sequence[Call] = ()) -> Rows:
    """The same on Snowpark local testing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        emulator.mend_expressions(monkeypatch)
        with Session.builder.config("local_testing", True).create() as session:
            warehouse = LocalWarehouse(session, monkeypatch)
            for batch in batches:
                warehouse.ingest(*batch)
                for procedure in PROCEDURES:
                    warehouse.run(procedure)
            for procedure, arguments in calls:
                warehouse.run(procedure, *arguments)
            for procedure in PROCEDURES if calls else ():
                warehouse.run(procedure)
            return {table: _rows(session, table) for table in COMPARED}


def _rows(session: Session, table: str) -> list[str]:
    columns = [name for name in schemas.columns(schemas.TABLES[table]) if name not in NOT_COMPARED]
    rows = session.table(table).select(*columns).collect()
    return sorted(" | ".join(_shown(value) for value in row) for row in rows)


def _shown(value: Any) -> str:
    """One spelling for a value, whatever the engine hands out for it."""
    if isinstance(value, str) and value.startswith("["):
        return json.dumps(sorted(json.loads(value)))
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "NULL" if value is None else str(value)
