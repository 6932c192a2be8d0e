"""Wrong messages: all the kinds of PITFALLS 23 to 25, each wrong in just the way that its name says."""

from typing import Any

import orjson
import pytest

from ingest.catalogue import catalogue
from ingest.events import EventStream
from ingest.malformed import BUILDERS, KINDS, OVERSIZED, OVERSIZED_BYTES
from tests.ingest.doubles import a_run

_NOT_AN_OBJECT = {
    "array": b"[1,2]",
    "null": b"null",
    "number": b"42",
    "empty": b"",
    "tombstone": None,
}
ORDER: dict[str, Any] = {
    "event_type": "ORDER_CREATED",
    "order_line_id": "OL-1",
    "customer_id": 1,
    "product_id": catalogue()[0].product_id,
    "quantity": 2,
    "unit_price": 12.5,
    "event_ts": "2025-06-01T10:00:00Z",
}
ADJUSTMENT: dict[str, Any] = {"event_type": "INVENTORY_ADJUSTED", "event_id": "A-1", "quantity_change": 3}


def _built(kind: str) -> bytes | None:
    return BUILDERS[kind](ORDER, ADJUSTMENT)


@pytest.mark.parametrize(("kind", "value"), _NOT_AN_OBJECT.items())
def test_values_that_are_no_objects_are_just_these_bytes(kind: str, value: bytes | None) -> None:
    assert _built(kind) == value


@pytest.mark.parametrize("kind", ["truncated", "not_utf8", "nan", OVERSIZED])
def test_text_that_is_no_json_is_refused_by_a_strict_parser(kind: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(_built(kind) or b"")


def test_bytes_that_are_no_utf8_cannot_be_decoded() -> None:
    with pytest.raises(UnicodeDecodeError):
        (_built("not_utf8") or b"").decode("utf-8")


def test_duplicate_keys_stand_twice_in_the_text() -> None:
    assert (_built("duplicate_keys") or b"").count(b'"quantity":') == 2


def test_number_beyond_every_float_is_written_out() -> None:
    assert b'"unit_price": 1e400' in (_built("huge_number") or b"")


def test_deep_nesting_is_an_array_so_that_no_parser_could_take_it_for_an_event() -> None:
    assert (_built("deep_nesting") or b"").startswith(b"[[[[")


def test_megabyte_fits_a_broker_that_has_its_default_limit() -> None:
    assert len(_built(OVERSIZED) or b"") == OVERSIZED_BYTES < 1_048_588 - 100


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("product_id_text", "product_id", "PROD-1"),
        ("customer_id_null", "customer_id", None),
        ("quantity_zero", "quantity", 0),
        ("quantity_boolean", "quantity", True),
        ("price_negative", "unit_price", -12.5),
        ("order_id_blank", "order_line_id", "   "),
        ("timestamp_no_offset", "event_ts", "2024-05-17T18:30:00"),
        ("event_type_unknown", "event_type", "ORDER_CANCELLED"),
    ],
)
def test_order_is_wrong_in_one_field_and_right_in_the_others(kind: str, field: str, value: object) -> None:
    assert orjson.loads(_built(kind) or b"") == {**ORDER, field: value}


def test_all_kinds_come_within_one_round_and_the_megabyte_stays_rare() -> None:
    stream = EventStream(a_run(events=len(KINDS) * 20, bad_share=0.5))
    stream.take(len(KINDS) * 20)
    bad = stream.truth().bad
    assert set(bad) == set(KINDS)
    assert bad[OVERSIZED] <= 2
    others = [count for kind, count in bad.items() if kind != OVERSIZED]
    assert max(others) - min(others) <= 1
