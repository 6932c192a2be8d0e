"""A history with purges in it, played on any engine: what comes, what runs, what the shop sees in the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Protocol

from snowflake.snowpark import Session
from snowflake.snowpark import functions as F

from caves_cli import verification
from caves_snowpark import names
from caves_snowpark.schemas import LOCAL_TIME, UTC_TIME
from procedures import purge_expired
from tests.engines.engine import PROCEDURES, Snowcellar
from tests.events import Message, adjustment, message, order
from tests.unit.local_warehouse import LocalWarehouse, local_warehouse

Row = tuple[Any, ...]
Event = Any

# As short as Kafka's own retention allows, and far shorter than `age` makes every row old.
RETENTION = '{"raw": 7, "staging": 7, "kafka": 7}'
LONG_AGO = timedelta(days=100)
NOON, LATER = "2025-07-01T12:00:00Z", "2025-07-01T13:00:00Z"

# Versions that come again and again: of one order two at the same time, of one movement one elsewhere.
EVENTS: list[Any] = [
    order(order_line_id="a", quantity=1, event_ts=NOON),
    order(order_line_id="a", quantity=2, event_ts=NOON),
    order(order_line_id="a", quantity=3, event_ts=LATER),
    order(order_line_id="b", unit_price="0.10"),
    adjustment(event_id="m", quantity_change=10, event_ts=NOON, product_name="Pauillac"),
    adjustment(event_id="m", quantity_change=7, event_ts=LATER),
    adjustment(event_id="m", quantity_change=8, event_ts=LATER, warehouse_location="LYON"),
    adjustment(event_id="n", quantity_change=-4, event_ts=NOON),
    order(quantity=0),
    b"{",
]
_WRITTEN = {
    names.RAW_EVENTS: "INGESTION_TIME",
    names.STG_ORDERS: "STAGED_AT",
    names.STG_INVENTORY_ADJUSTMENTS: "STAGED_AT",
    names.DUPLICATE_EVENTS: "DETECTED_AT",
}
_SEEN = {
    names.ORDERS: (
        "ORDER_ID",
        "ORDER_TIMESTAMP",
        "QUANTITY",
        "TOTAL_AMOUNT",
        "SOURCE_PARTITION",
        "SOURCE_OFFSET",
    ),
    names.INVENTORY_HISTORY: ("ADJUSTMENT_ID", "QUANTITY_CHANGE", "WAREHOUSE_LOCATION", "SOURCE_OFFSET"),
    names.INVENTORY_CURRENT: ("PRODUCT_ID", "WAREHOUSE_LOCATION", "PRODUCT_NAME", "CURRENT_STOCK_LEVEL"),
}


class Engine(Protocol):
    """Where a history is played."""

    session: Session

    def load(self, batch: Sequence[Message]) -> None: ...
    def call(self, procedure: ModuleType, *arguments: Any) -> dict[str, Any]: ...


@dataclass
class Shop:
    """Events on one partition, and what became of them."""

    engine: Engine
    sent: int = 0

    def send(self, *events: Event) -> None:
        batch = [message(event, offset) for offset, event in enumerate(events, self.sent)]
        self.engine.load(batch)
        self.sent += len(batch)

    def tick(self) -> None:
        for procedure in PROCEDURES:
            self.engine.call(procedure)

    def age(self) -> None:
        """Everything was written long ago, what waits in a stream too: streams do not follow an UPDATE."""
        for table, column in _WRITTEN.items():
            kind = LOCAL_TIME if table == names.RAW_EVENTS else UTC_TIME
            then = datetime.now(UTC) - LONG_AGO
            value = F.lit(then if kind == LOCAL_TIME else then.replace(tzinfo=None)).cast(kind)
            self.engine.session.table(table).update({column: value})

    def purge(self, retention: str = RETENTION) -> dict[str, Any]:
        return self.engine.call(purge_expired, retention)

    def seen(self) -> dict[str, list[str]]:
        """What production says, without the times of writing."""
        return {
            table: sorted(
                repr([int(value) if str(value).lstrip("-").isdigit() else str(value) for value in row])
                for row in self.engine.session.table(table).select(*columns).collect()
            )
            for table, columns in _SEEN.items()
        }


class OnCellar:
    def __init__(self, cellar: Snowcellar) -> None:
        cellar.empty()
        self.cellar, self.session = cellar, cellar.session

    def load(self, batch: Sequence[Message]) -> None:
        self.cellar.load(batch)

    def call(self, procedure: ModuleType, *arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = procedure.main(self.session, *arguments)
        return result


class OnLocal:
    def __init__(self, warehouse: LocalWarehouse) -> None:
        self.warehouse, self.session = warehouse, warehouse.session

    def load(self, batch: Sequence[Message]) -> None:
        self.warehouse.ingest(*batch)

    def call(self, procedure: ModuleType, *arguments: Any) -> dict[str, Any]:
        return self.warehouse.run(procedure, *arguments)


@contextmanager
def local_shop() -> Iterator[Shop]:
    with local_warehouse() as warehouse:
        yield Shop(OnLocal(warehouse))


def cellar_shop(cellar: Snowcellar) -> Shop:
    return Shop(OnCellar(cellar))


def broken(shop: Shop) -> dict[str, Any]:
    """The invariants that do not hold, and by what."""
    connection = shop.engine.session.connection
    return {v.invariant.name: v.offenders for v in verification.verify(connection) if not v.holds}


def left(shop: Shop) -> dict[str, list[str]]:
    """What lies in RAW and STAGING, by coordinates."""
    place = ("SOURCE_TOPIC", "SOURCE_PARTITION", "SOURCE_OFFSET")
    tables = [names.STG_ORDERS, names.STG_INVENTORY_ADJUSTMENTS, names.DUPLICATE_EVENTS]
    tables += [names.REJECTED_EVENTS, names.PURGED_ORDERS, names.PURGED_ADJUSTMENTS]
    found = {table: shop.engine.session.table(table).select(*place).collect() for table in tables}
    found[names.PURGED_OFFSETS] = (
        shop.engine.session.table(names.PURGED_OFFSETS).select("PURGED_BEFORE", "PURGED_ROWS").collect()
    )
    raw = shop.engine.session.table(names.RAW_EVENTS).select("EVENT_METADATA").collect()
    rows = {
        table: sorted(str([str(value) for value in row]) for row in rows) for table, rows in found.items()
    }
    return rows | {names.RAW_EVENTS: [str(len(raw))]}
