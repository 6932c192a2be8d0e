"""The four events of docs/dead-letters.md: the first of their topic, rejected as the page shows them."""

import json
from typing import Any, Final

from confluent_kafka import Producer

from caves_cli import state
from caves_cli.state import StateFolder
from caves_snowpark import names
from ingest.topics import DEFAULT_PARTITIONS, create_topic
from tests.docs.world import World
from tests.events import adjustment, order

_EVENTS: Final[list[Any]] = [
    order(order_line_id="7f3a", quantity="three", discount="10%"),
    {k: v for k, v in adjustment(event_id="7f3b").items() if k != "warehouse_location"},
    "not an object",
    order(order_line_id="7f3c"),
]


def arrive(world: World) -> None:
    """Sent, loaded and rejected: three by today's contract, the last by one that was mended since."""
    ask = world.worksheet().cursor()
    ask.execute(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
    _load(world, _EVENTS[:3])
    ask.execute(f"CALL {names.DISTRIBUTE_RAW_EVENTS}()")
    _load(world, _EVENTS[3:])
    ask.execute(
        f"INSERT INTO {names.REJECTED_EVENTS} (EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, REASONS,"
        " SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, REJECTED_AT)"
        " SELECT EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, ARRAY_CONSTRUCT('INVALID_BOTTLE'),"
        " EVENT_METADATA:topic::VARCHAR, EVENT_METADATA:partition::NUMBER(38, 0),"
        f" EVENT_METADATA:offset::NUMBER(38, 0), SYSDATE() FROM {names.STREAM_RAW_EVENTS}"
    )
    ask.execute(f"ALTER TASK {names.ROOT_TASK} RESUME")
    world.end_page()


def _load(world: World, events: list[Any]) -> None:
    local = state.load(StateFolder(world.folder / ".caves"))
    create_topic(local.bootstrap or "", local.topic, DEFAULT_PARTITIONS)
    producer = Producer({"bootstrap.servers": local.bootstrap})
    for event in events:
        producer.produce(local.topic, json.dumps(event).encode(), b"1001", partition=0)
    assert producer.flush(20) == 0
    world.type("caves ingest --until-caught-up --assign")
