"""Events as shops send them, good and bad, and the raw rows that an ingestor makes of them.

`order` and `adjustment` make one event with the given changes; `messages` is a Hypothesis strategy of Kafka
values. Every engine can be fed from here: `raw_row` says what RAW_DATA.RAW_EVENTS_STREAM holds for a value.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from caves_snowpark.event_contract import ADJUSTMENT_TYPES, CATEGORIES, LOCATIONS

TOPIC: Final = "sales_events"
INGESTED_AT: Final = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)

# In a change, the mark of a field that is not sent at all.
ABSENT: Final = object()


def order(**changes: Any) -> dict[str, Any]:
    """A valid ORDER_CREATED event, with some fields changed, added or left out (`ABSENT`)."""
    event: dict[str, Any] = {
        "event_type": "ORDER_CREATED",
        "order_line_id": "order-1",
        "customer_id": 501,
        "product_id": 1001,
        "quantity": 3,
        "unit_price": 19.99,
        "event_ts": "2025-07-01T10:00:00+02:00",
    }
    return _changed(event, changes)


def adjustment(**changes: Any) -> dict[str, Any]:
    """A valid INVENTORY_ADJUSTED event, with some fields changed, added or left out (`ABSENT`)."""
    event: dict[str, Any] = {
        "event_type": "INVENTORY_ADJUSTED",
        "event_id": "adjustment-1",
        "product_id": 1001,
        "quantity_change": 12,
        "adjustment_type": "REPLENISHMENT",
        "warehouse_location": "PARIS-BERCY",
        "event_ts": "2025-07-01T10:00:00+02:00",
    }
    return _changed(event, changes)


def _changed(event: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (event | changes).items() if value is not ABSENT}


@dataclass(frozen=True)
class Message:
    """One Kafka message: its value (None is a tombstone) and where it stands."""

    value: bytes | None
    offset: int
    partition: int = 0
    topic: str = TOPIC


def message(event: Any, offset: int, partition: int = 0) -> Message:
    """A message that holds an event as JSON, or bytes as they are."""
    value = event if isinstance(event, bytes | None) else json.dumps(event, ensure_ascii=False).encode()
    return Message(value, offset, partition)


def raw_row(message: Message) -> dict[str, Any]:
    """The row of RAW_DATA.RAW_EVENTS_STREAM for a message."""
    content, form, encoding = _content(message.value)
    event = content if isinstance(content, dict) else {}
    event_type = event.get("event_type")
    return {
        "EVENT_TYPE": event_type if isinstance(event_type, str) else None,
        "PRODUCT_ID": None,
        "CUSTOMER_ID": None,
        "EVENT_METADATA": {
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "encoding": encoding,
            "format": form,
        },
        "EVENT_CONTENT": content,
        "INGESTION_TIME": INGESTED_AT,
    }


def _content(value: bytes | None) -> tuple[Any, str, str]:
    if value is None:
        return None, "tombstone", "utf-8"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode(), "text", "base64"
    try:
        content = json.loads(text, parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_unique)
        # Half of a surrogate pair: Python takes it for text, and no warehouse does.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text, "text", "utf-8"
    return (content, "json", "utf-8") if isinstance(content, dict) else (text, "text", "utf-8")


def _integer(text: str) -> int | float:
    """An integer, or a DOUBLE where it is longer than Python reads."""
    return int(text) if len(text) < 4_000 else float(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# Few keys, products, places and times, so that repeats, versions and ties are common.
_TIMES: Final = (
    "2025-07-01T10:00:00+02:00",
    "2025-07-01T08:00:00Z",
    "2025-03-30T01:59:59.123456789+0100",
    "2024-12-31T23:30:00-05",
)

valid_orders: Final = st.builds(
    order,
    order_line_id=st.sampled_from(["order-1", "order-2", "order-3"]),
    product_id=st.sampled_from([1001, "1002", 1003.0]),
    quantity=st.integers(1, 12),
    unit_price=st.sampled_from([0, 4.5, 19.99, "12.50", 1e2]),
    event_ts=st.sampled_from(_TIMES),
    total_price=st.sampled_from([ABSENT, None, 100.01, "59.90"]),
    category=st.sampled_from([ABSENT, None, *CATEGORIES]),
    shipping_address=st.sampled_from([ABSENT, "1 rue de l'Échaudé, Paris", ""]),
)

valid_adjustments: Final = st.builds(
    adjustment,
    event_id=st.sampled_from(["adjustment-1", "adjustment-2", "adjustment-3"]),
    product_id=st.sampled_from([1001, 1002]),
    quantity_change=st.integers(-20, 20).filter(bool),
    adjustment_type=st.sampled_from(ADJUSTMENT_TYPES),
    warehouse_location=st.sampled_from(LOCATIONS[:2]),
    event_ts=st.sampled_from(_TIMES),
    product_name=st.sampled_from([ABSENT, "Pauillac", "Chablis"]),
)

# What a field may hold by mistake: each is wrong for some fields and right for others.
_mistakes: Final = st.sampled_from(
    [
        ABSENT,
        None,
        "",
        "  ",
        "PROD-1",
        "12",
        0,
        -1,
        1.5,
        1e22,
        10**30,
        0.001,
        True,
        [],
        {"a": 1},
        "2025-07-01",
        "é",
    ]
)
_fields: Final = sorted(
    {*order(), *adjustment(), "total_price", "discount", "bottle_size_l", "sales_channel", "reason"}
)

mistaken_events: Final = st.builds(
    lambda event, name, value: _changed(event, {name: value}),
    st.one_of(valid_orders, valid_adjustments),
    st.sampled_from(_fields),
    _mistakes,
)

# PITFALL 23, and values that look like events without being JSON objects.
MALFORMED: Final = (
    None,
    b"",
    b" ",
    b"[1,2]",
    b"null",
    b"42",
    b'"ORDER_CREATED"',
    b"NaN",
    b"{",
    b"\xff\xfe\x00",
    b'{"event_type": NaN}',
    b"[" * 5000,
    json.dumps(json.dumps(order())).encode(),
)

messages: Final = st.one_of(
    st.one_of(valid_orders, valid_adjustments, mistaken_events).map(
        lambda event: json.dumps(event, ensure_ascii=False).encode()
    ),
    st.sampled_from(MALFORMED),
)
