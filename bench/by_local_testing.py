"""The same procedures on Snowpark's local testing, with what the unit tests mend of it."""

import time
from importlib import import_module
from typing import Final

from bench.events import START, TOPIC, Arrived
from bench.outcome import Outcome, require
from caves_snowpark import names
from ingest.events import EventStream
from ingest.settings import ProducerSettings
from tests.events import Message
from tests.unit.local_warehouse import LocalWarehouse, local_warehouse

LOCAL_TESTING: Final = "Snowpark local testing"


def tick(events: int) -> float:
    """The seconds of the four procedures over a backlog; what they leave is checked."""
    stream = EventStream(ProducerSettings("", TOPIC, events, start=START))
    arrived = [Arrived(message, number) for number, message in enumerate(stream.take(events))]
    procedures = [
        import_module(f"procedures.{procedure.partition('.')[2].lower()}")
        for procedure in names.TASK_PROCEDURES.values()
    ]
    with local_warehouse() as warehouse:
        warehouse.ingest(*(Message(each.value(), each.offset(), each.partition()) for each in arrived))
        begun = time.perf_counter()
        for procedure in procedures:
            warehouse.run(procedure)
        seconds = time.perf_counter() - begun
        require(LOCAL_TESTING, _outcome(warehouse), stream.truth())
    return seconds


def _outcome(warehouse: LocalWarehouse) -> Outcome:
    revenue = sum(amount for (amount,) in warehouse.rows(names.ORDERS, "TOTAL_AMOUNT"))
    stock = warehouse.rows(names.INVENTORY_CURRENT, "PRODUCT_ID", "WAREHOUSE_LOCATION", "CURRENT_STOCK_LEVEL")
    return Outcome(
        staged_orders=warehouse.count(names.STG_ORDERS),
        staged_adjustments=warehouse.count(names.STG_INVENTORY_ADJUSTMENTS),
        rejected=warehouse.count(names.REJECTED_EVENTS),
        duplicates=warehouse.count(names.DUPLICATE_EVENTS),
        orders=warehouse.count(names.ORDERS),
        history=warehouse.count(names.INVENTORY_HISTORY),
        revenue_cents=int(revenue * 100),
        stock={(int(product), str(place)): int(level) for product, place, level in stock},
    )
