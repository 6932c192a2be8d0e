"""PIPELINE_HEALTH: one JSON object about the pipeline."""

import json

from caves_snowpark import names
from procedures import distribute_raw_events, merge_orders, pipeline_health
from tests.events import adjustment, order
from tests.unit.local_warehouse import LocalWarehouse
from tests.unit.staged import NOON


def test_an_empty_pipeline_is_all_zeros(warehouse: LocalWarehouse) -> None:
    health = warehouse.run(pipeline_health)
    nothing = {"rows": 0, "latest_write": None, "latest_event": None}
    assert health == {
        "tables": dict.fromkeys(names.TABLES, nothing),
        "streams": dict.fromkeys(names.STREAMS, 0),
        "rejected": {},
        "offsets": {},
        "gaps": {},
    }


def test_it_tells_rows_times_backlog_and_reasons(warehouse: LocalWarehouse) -> None:
    warehouse.ingest(
        order(), order(order_line_id="late"), adjustment(), order(quantity=0, unit_price=-1), None
    )
    warehouse.run(distribute_raw_events)
    warehouse.run(merge_orders)
    warehouse.ingest(order(order_line_id="pending"))
    offset: dict[str, object] = {"TOPIC": "sales_events", "PARTITION": 0, "NEXT_OFFSET": 6, "FIRST_OFFSET": 0}
    offset["UPDATED_AT"] = NOON
    warehouse.insert(names.KAFKA_OFFSETS, offset)
    gap: dict[str, object] = {"TOPIC": "sales_events", "LOG_GENERATION": 0, "PARTITION": 0}
    gap |= {"DETECTED_AT": NOON, "RESET_POLICY": None, "FIRST_OFFSET": None}
    lost = [("RETENTION", 10, 15), ("NOT_IN_LOG", 3, 4), ("NOT_IN_LOG", 6, 8), ("TOPIC_REPLACED", 20, None)]
    for reason, start, end in lost:
        warehouse.insert(
            names.KAFKA_OFFSET_GAPS, gap | {"REASON": reason, "FROM_OFFSET": start, "TO_OFFSET": end}
        )

    health = warehouse.run(pipeline_health)

    assert json.loads(json.dumps(health)) == health
    assert {table: health["tables"][table]["rows"] for table in names.TABLES} == {
        names.RAW_EVENTS: 6,
        names.KAFKA_OFFSETS: 1,
        names.KAFKA_OFFSET_GAPS: 4,
        names.STG_ORDERS: 2,
        names.STG_INVENTORY_ADJUSTMENTS: 1,
        names.REJECTED_EVENTS: 2,
        names.DUPLICATE_EVENTS: 0,
        names.REPLAY_LOG: 0,
        names.DEAD_LETTER_OFFSETS: 0,
        names.ORDERS: 2,
        names.INVENTORY_HISTORY: 0,
        names.INVENTORY_CURRENT: 0,
    }
    assert health["tables"][names.RAW_EVENTS]["latest_write"] == "2025-07-01T12:00:00Z"
    assert health["tables"][names.ORDERS]["latest_event"] == "2025-07-01T08:00:00Z"
    assert health["streams"] == {
        names.STREAM_RAW_EVENTS: 1,
        names.STREAM_STG_ORDERS: 0,
        names.STREAM_STG_INVENTORY_FOR_HISTORY: 1,
        names.STREAM_STG_INVENTORY_FOR_CURRENT: 1,
    }
    assert health["rejected"] == {"INVALID_QUANTITY": 1, "INVALID_UNIT_PRICE": 1, "NOT_JSON_OBJECT": 1}
    assert health["offsets"] == {"sales_events/0": 6}
    assert health["gaps"] == {"RETENTION": 5, "NOT_IN_LOG": 3, "TOPIC_REPLACED": 1}
