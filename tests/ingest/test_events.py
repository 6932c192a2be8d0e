"""The shop: the same bytes for the same seed and start, the promised mix, and a truth that is true.

The truth is checked by the slow way round: parse every message, and add up as the contract says.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.catalogue import CATEGORIES, LOCATIONS, catalogue
from ingest.errors import InvalidSetting
from ingest.events import EventStream
from ingest.fragments import Message
from ingest.settings import ProducerSettings
from tests.ingest.doubles import START, a_run


def _taken(run: ProducerSettings) -> tuple[list[Message], EventStream]:
    stream = EventStream(run)
    return stream.take(run.events), stream


def _events(messages: list[Message]) -> list[dict[str, Any]]:
    return [orjson.loads(value) for _, value in messages if value is not None]


def test_same_seed_and_start_give_the_same_bytes_whatever_the_clock_says() -> None:
    run = a_run(events=3_000, bad_share=0.05)
    whole, _ = _taken(run)
    piecewise = EventStream(run)
    assert [m for size in (1, 999, 1_500, 500) for m in piecewise.take(size)] == whole
    assert _taken(a_run(events=3_000, bad_share=0.05, seed=43))[0] != whole


def test_first_event_of_a_run_is_written_down_here_so_that_a_change_of_bytes_is_seen() -> None:
    # PITFALLS 32: nothing in it may follow from the year in which it runs.
    (key, value), *_ = _taken(a_run(events=10))[0]
    assert key == b"1001"
    event = orjson.loads(value or b"")
    assert event.pop("reason")
    assert event == {
        "event_type": "INVENTORY_ADJUSTED",
        "event_id": "ADJ-0091c11d-00000000",
        "product_id": 1001,
        "product_name": catalogue()[0].name,
        "category": "Rouge",
        "emoji": "🍷",
        "quantity_change": event["quantity_change"],
        "adjustment_type": "REPLENISHMENT",
        "warehouse_location": "PARIS-BERCY",
        "source_service": "stock-api",
        "event_ts": event["event_ts"],
    }
    assert event["event_ts"].startswith("2025-05-26T1")


def test_two_runs_of_one_seed_at_different_times_share_no_id() -> None:
    first, _ = _taken(a_run(events=500, bad_share=0, duplicate_share=0, correction_share=0))
    later = START + timedelta(minutes=1)
    second, _ = _taken(a_run(events=500, bad_share=0, duplicate_share=0, correction_share=0, start=later))
    ids = [{e.get("order_line_id") or e["event_id"] for e in _events(run)} for run in (first, second)]
    assert len(ids[0]) == len(ids[1]) == 500 and not ids[0] & ids[1]


@pytest.mark.parametrize("events", [1, 2, 100, 2_000, 12_345])
def test_mix_is_70_orders_to_30_adjustments_even_in_a_short_run(events: int) -> None:
    truth = _taken(a_run(events=events, bad_share=0, duplicate_share=0))[1].truth()
    assert truth.order_events + truth.adjustments == events == truth.events_produced
    assert abs(truth.adjustments - 0.3 * events) < 1


def test_shares_of_bad_and_repeated_events_are_exact() -> None:
    truth = _taken(a_run(events=10_000, bad_share=0.03, duplicate_share=0.05))[1].truth()
    assert (truth.rejected, truth.duplicates) == (300, 500)


def test_every_shelf_is_opened_by_a_replenishment_before_anything_else_happens_to_it() -> None:
    messages, stream = _taken(a_run(events=20_000, bad_share=0))
    opened: set[tuple[int, str]] = set()
    stocked: set[int] = set()
    for event in _events(messages):
        if event["event_type"] == "ORDER_CREATED":
            assert event["product_id"] in stocked
            continue
        shelf = (event["product_id"], event["warehouse_location"])
        assert shelf in opened or event["adjustment_type"] == "REPLENISHMENT"
        opened.add(shelf)
        stocked.add(event["product_id"])
    assert len(opened) == 800 == len(stream.truth().expected_stock)


def _recount(messages: list[Message]) -> tuple[int, dict[tuple[int, str], int]]:
    """Revenue in cents and stock by shelf: latest version of each order, every adjustment once."""
    orders: dict[str, tuple[datetime, int, Decimal]] = {}
    changes: dict[str, tuple[tuple[int, str], int]] = {}
    for number, event in enumerate(_events(messages)):
        if event["event_type"] == "ORDER_CREATED":
            amount = event.get("total_price", event["quantity"] * Decimal(str(event["unit_price"])))
            version = (datetime.fromisoformat(event["event_ts"]), number, Decimal(str(amount)))
            orders[event["order_line_id"]] = max(orders.get(event["order_line_id"], version), version)
        else:
            shelf = (event["product_id"], event["warehouse_location"])
            changes[event["event_id"]] = (shelf, event["quantity_change"])
    stock: Counter[tuple[int, str]] = Counter()
    for shelf, change in changes.values():
        stock[shelf] += change
    return int(sum(amount for *_, amount in orders.values()) * 100), dict(stock)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    events=st.integers(1, 2_500),
    duplicates=st.sampled_from([0.0, 0.02, 0.3]),
    corrections=st.sampled_from([0.0, 0.005, 0.4]),
)
def test_truth_is_what_adding_up_the_messages_gives(
    seed: int, events: int, duplicates: float, corrections: float
) -> None:
    messages, stream = _taken(
        a_run(events=events, seed=seed, bad_share=0, duplicate_share=duplicates, correction_share=corrections)
    )
    truth = stream.truth()
    assert _recount(messages) == (truth.expected_revenue_cents, dict(truth.expected_stock))
    kinds = Counter(value for _, value in messages)
    assert sum(kinds.values()) - len(kinds) == truth.duplicates
    ids = {e["order_line_id"] for e in _events(messages) if e["event_type"] == "ORDER_CREATED"}
    assert len(ids) == truth.orders


def test_key_is_the_product_so_that_its_events_stay_in_order() -> None:
    messages, _ = _taken(a_run(events=2_000, bad_share=0))
    assert all(
        int(key or 0) == event["product_id"]
        for (key, _), event in zip(messages, _events(messages), strict=True)
    )


def test_a_correction_is_newer_than_what_it_corrects_and_keeps_its_product() -> None:
    messages, stream = _taken(a_run(events=5_000, bad_share=0, duplicate_share=0, correction_share=0.2))
    seen: dict[str, dict[str, Any]] = {}
    corrections = 0
    for event in _events(messages):
        if event["event_type"] != "ORDER_CREATED":
            continue
        older = seen.get(event["order_line_id"])
        if older is not None:
            corrections += 1
            moments = [datetime.fromisoformat(e["event_ts"]) for e in (older, event)]
            assert moments[0] < moments[1]
            assert older["product_id"] == event["product_id"]
            assert older["customer_id"] == event["customer_id"]
        seen[event["order_line_id"]] = event
    assert corrections == stream.truth().corrections > 500


def test_times_have_an_offset_lie_in_the_week_before_the_start_and_are_a_little_out_of_order() -> None:
    messages, _ = _taken(a_run(events=5_000, bad_share=0, duplicate_share=0, correction_share=0))
    texts = [event["event_ts"] for event in _events(messages)]
    assert {text[-6:] if text[-1] != "Z" else "Z" for text in texts} == {"Z", "+02:00"}
    moments = [datetime.fromisoformat(text) for text in texts]
    assert START - timedelta(days=7, minutes=10) <= min(moments) and max(moments) <= START
    backwards = sum(later < earlier for earlier, later in pairwise(moments))
    assert 0 < backwards < len(moments) / 10
    hours = Counter(moment.astimezone(ZoneInfo("Europe/Paris")).hour for moment in moments)
    assert hours[18] > 10 * hours[3]


def test_winter_times_carry_the_offset_of_winter() -> None:
    winter = datetime(2025, 1, 15, 12, tzinfo=UTC)
    messages, _ = _taken(a_run(events=200, bad_share=0, start=winter))
    assert any(event["event_ts"].endswith("+01:00") for event in _events(messages))


def test_with_a_rate_events_follow_the_start_as_in_a_live_shop() -> None:
    stream = EventStream(a_run(events=0, rate=100.0, bad_share=0, duplicate_share=0, correction_share=0))
    moments = [datetime.fromisoformat(event["event_ts"]) for event in _events(stream.take(1_000))]
    assert moments[0] == START
    assert max(moments) <= START + timedelta(seconds=10)


def test_catalogue_is_200_bottles_in_five_categories_at_four_places() -> None:
    bottles = catalogue()
    assert len(bottles) == 200 == len({b.product_id for b in bottles}) == len({b.name for b in bottles})
    assert {b.category for b in bottles} == set(CATEGORIES)
    assert len(LOCATIONS) == 4
    assert all(re.fullmatch(r"\d\.\d{3}", b.bottle_size_l) and b.unit_cents > 0 for b in bottles)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("events", -1), ("rate", -0.5), ("bad_share", 1.0), ("duplicate_share", -0.1), ("partitions", 0)],
)
def test_setting_without_sense_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(InvalidSetting, match=setting):
        ProducerSettings("", **{"start": START, setting: value})  # type: ignore[arg-type]


def test_start_without_an_offset_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="a time with an offset"):
        ProducerSettings("", start=datetime(2025, 6, 2))
