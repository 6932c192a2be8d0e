"""Messages that are wrong on purpose, one builder a kind.

Each has one verdict on every engine: it is kept in RAW and ends in REJECTED_EVENTS. That rules out inputs
that one parser takes and another refuses, such as nesting inside a field that nobody reads.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import orjson

from ingest.catalogue import LOCATIONS, Product, catalogue
from ingest.clock import Stamps
from ingest.fragments import Message, order_line, product_fields

Event = dict[str, Any]
# None is a tombstone: a message that has a key and no value.
Builder = Callable[[Event, Event], bytes | None]

# Brokers refuse a batch above 1,048,588 bytes unless told otherwise, headers and key included.
OVERSIZED_BYTES: Final = 1_000_000
NESTING_DEPTH: Final = 2_000
# A megabyte is rare in a shop's traffic: this kind comes once in so many rounds of all the others.
OVERSIZED_EVERY_ROUNDS: Final = 8
OVERSIZED: Final = "oversized"


def _changed(**fields: object) -> Builder:
    """An order with other values in some fields."""
    return lambda order, _: orjson.dumps({**order, **fields})


def _changed_adjustment(**fields: object) -> Builder:
    return lambda _, adjustment: orjson.dumps({**adjustment, **fields})


def _without(field: str) -> Builder:
    return lambda order, _: orjson.dumps({key: value for key, value in order.items() if key != field})


def _adjustment_without(field: str) -> Builder:
    return lambda _, event: orjson.dumps({key: value for key, value in event.items() if key != field})


def _literal(field: str, text: str) -> Builder:
    """An order with a number in `field` that JSON writers refuse to write."""
    mark = "\N{REPLACEMENT CHARACTER}literal"
    return lambda order, _: json.dumps({**order, field: mark}).replace(json.dumps(mark), text).encode()


def _duplicate_keys(order: Event, _: Event) -> bytes:
    """Two quantities in one object: Snowflake's TRY_PARSE_JSON refuses it, for keeping either is a guess."""
    return orjson.dumps(order)[:-1] + b',"quantity":%d}' % (order["quantity"] + 1)


def _not_utf8(order: Event, _: Event) -> bytes:
    return json.dumps({**order, "product_name": "Ros\u00e9"}, ensure_ascii=False).encode("latin-1", "replace")


BUILDERS: Final[Mapping[str, Builder]] = {
    "array": lambda *_: b"[1,2]",
    "null": lambda *_: b"null",
    "number": lambda *_: b"42",
    "string": lambda order, _: orjson.dumps(order["order_line_id"]),
    "empty": lambda *_: b"",
    "tombstone": lambda *_: None,
    "truncated": lambda order, _: orjson.dumps(order)[:-20],
    "not_utf8": _not_utf8,
    "deep_nesting": lambda *_: b"[" * NESTING_DEPTH + b"]" * NESTING_DEPTH,
    "duplicate_keys": _duplicate_keys,
    "nan": _literal("quantity", "NaN"),
    "huge_number": _literal("unit_price", "1e400"),
    "product_id_text": _changed(product_id="PROD-1"),
    "customer_id_null": _changed(customer_id=None),
    "quantity_boolean": _changed(quantity=True),
    "quantity_fraction": _changed(quantity=1.5),
    "quantity_zero": _changed(quantity=0),
    "quantity_negative": _changed(quantity=-3),
    "price_text": _changed(unit_price="cher"),
    "price_negative": _changed(unit_price=-12.5),
    "price_three_decimals": _literal("unit_price", "12.345"),
    "order_id_missing": _without("order_line_id"),
    "order_id_blank": _changed(order_line_id="   "),
    "order_id_object": _changed(order_line_id={"id": 1}),
    "timestamp_missing": _without("event_ts"),
    "timestamp_no_offset": _changed(event_ts="2024-05-17T18:30:00"),
    "timestamp_impossible": _changed(event_ts="2024-02-30T18:30:00Z"),
    "event_type_unknown": _changed(event_type="ORDER_CANCELLED"),
    "event_type_missing": _without("event_type"),
    "change_zero": _changed_adjustment(quantity_change=0),
    "location_missing": _adjustment_without("warehouse_location"),
    "adjustment_type_blank": _changed_adjustment(adjustment_type=""),
    "event_id_null": _changed_adjustment(event_id=None),
    OVERSIZED: lambda *_: b"x" * OVERSIZED_BYTES,
}
KINDS: Final = tuple(BUILDERS)


class Spoiler:
    """Writes wrong messages: every kind in turn, in an order that the seed shuffles."""

    def __init__(self, run: bytes, random: Random, stamps: Stamps) -> None:
        self._run, self._random, self._stamps = run, random, stamps
        self._queue: list[str] = []
        self._rounds = 0
        self.spoilt: Counter[str] = Counter()

    def spoil(self, ms: int) -> Message:
        if not self._queue:
            self._queue = self._next_round()
        kind = self._queue.pop()
        product = catalogue()[self._random.randrange(len(catalogue()))]
        name, stamp = f"BAD-{self._run.decode()}-{self.spoilt.total():08d}", self._stamps.utc(ms).decode()
        self.spoilt[kind] += 1
        value = BUILDERS[kind](_sample_order(name, product, stamp), _sample_adjustment(name, product, stamp))
        return b"%d" % product.product_id, value

    def _next_round(self) -> list[str]:
        rare = self._rounds % OVERSIZED_EVERY_ROUNDS != 0
        kinds = [kind for kind in KINDS if not (rare and kind == OVERSIZED)]
        self._random.shuffle(kinds)
        self._rounds += 1
        return kinds


def _sample_order(name: str, product: Product, stamp: str) -> Event:
    """A valid order with an id of its own, for a builder to spoil."""
    line, _ = order_line(product, 0)
    event: Event = orjson.loads(b'{"event_type":"ORDER_CREATED"%b}' % line)
    return {**event, "order_line_id": name, "customer_id": 500_001, "event_ts": stamp}


def _sample_adjustment(name: str, product: Product, stamp: str) -> Event:
    event: Event = orjson.loads(b'{"event_type":"INVENTORY_ADJUSTED"%b}' % product_fields(product))
    details = {"quantity_change": 3, "adjustment_type": "CORRECTION", "warehouse_location": LOCATIONS[0]}
    return {**event, **details, "event_id": name, "event_ts": stamp}
