"""What holds for any events, in any order and any batches.

Few examples each, because local testing is slow; the same strategies feed the engines that are fast.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caves_snowpark import names
from procedures import append_inventory_history, distribute_raw_events, merge_inventory_current, merge_orders
from tests.events import message, messages
from tests.unit.local_warehouse import LocalWarehouse, local_warehouse
from tests.unit.staged import EARLY, staged_adjustment, staged_order

Row = dict[str, Any]

a_few = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@settings(a_few, max_examples=5)
@given(st.lists(messages, min_size=4, max_size=16), st.integers(0, 16))
def test_every_raw_event_lands_in_exactly_one_place(values: list[bytes | None], cut: int) -> None:
    """PITFALL 12 and 23: whatever was sent, in one tick or in two."""
    sent = [message(value, offset) for offset, value in enumerate(values)]
    with local_warehouse() as warehouse:
        counts: Counter[str] = Counter()
        for batch in (sent[:cut], sent[cut:]):
            warehouse.ingest(*batch)
            counts.update(warehouse.run(distribute_raw_events))
        landed = [
            int(offset)
            for table in (
                names.STG_ORDERS,
                names.STG_INVENTORY_ADJUSTMENTS,
                names.REJECTED_EVENTS,
                names.DUPLICATE_EVENTS,
            )
            for (offset,) in warehouse.rows(table, "SOURCE_OFFSET")
        ]
        assert sorted(landed) == list(range(len(sent)))
        assert counts.pop("read") == counts.total() == len(sent)


def versions(
    make: Callable[..., Row], key: str, **values: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[Row]]:
    """Versions of three things, with ties on time, arriving in an order that is not that of their offsets."""
    changes = st.fixed_dictionaries(
        {
            key: st.sampled_from(["a", "b", "c"]),
            "EVENT_TIMESTAMP": st.integers(0, 2).map(lambda hours: EARLY + timedelta(hours=hours)),
            **values,
        }
    )
    rows = st.lists(changes, min_size=1, max_size=8).map(
        lambda each: [make(offset, **change) for offset, change in enumerate(each)]
    )
    return rows.flatmap(st.permutations)


def recency(row: Row) -> tuple[datetime, int]:
    return row["EVENT_TIMESTAMP"], row["SOURCE_OFFSET"]


def latest(rows: list[Row], key: str) -> list[Row]:
    """The oracle: what must be left of the rows, said in Python."""
    winners: dict[str, Row] = {}
    for row in sorted(rows, key=recency):
        winners[row[key]] = row
    return [winners[name] for name in sorted(winners)]


def in_batches(rows: list[Row], cuts: list[int]) -> list[list[Row]]:
    edges = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    return [rows[start:end] for start, end in pairwise(edges)]


@a_few
@given(
    versions(staged_order, "ORDER_ID", QUANTITY=st.integers(1, 99)),
    st.lists(st.integers(0, 8), max_size=2),
)
def test_orders_end_alike_in_any_order_and_any_batches(rows: list[Row], cuts: list[int]) -> None:
    with local_warehouse() as warehouse:
        for batch in in_batches(rows, cuts):
            warehouse.insert(names.STG_ORDERS, *batch)
            warehouse.run(merge_orders)
        columns = ("ORDER_ID", "QUANTITY", "ORDER_TIMESTAMP", "SOURCE_OFFSET")
        assert warehouse.rows(names.ORDERS, *columns) == [
            (row["ORDER_ID"], row["QUANTITY"], row["EVENT_TIMESTAMP"], row["SOURCE_OFFSET"])
            for row in latest(rows, "ORDER_ID")
        ]


@a_few
@given(
    versions(
        staged_adjustment,
        "ADJUSTMENT_ID",
        QUANTITY_CHANGE=st.integers(-9, 9).filter(bool),
        WAREHOUSE_LOCATION=st.sampled_from(["PARIS", "LYON"]),
        PRODUCT_NAME=st.sampled_from([None, "Chablis", "Pauillac"]),
    ),
    st.lists(st.integers(0, 8), max_size=2),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_stock_is_the_sum_of_history_in_any_order_and_any_batches(
    rows: list[Row], cuts: list[int], runs: list[bool]
) -> None:
    """Invariant 5. A run that is left out leaves its backlog in the stream for the next one."""
    batches = in_batches(rows, cuts)
    with local_warehouse() as warehouse:
        for batch, runs_now in zip(batches, [*runs[: len(batches) - 1], True], strict=True):
            warehouse.insert(names.STG_INVENTORY_ADJUSTMENTS, *batch)
            warehouse.run(append_inventory_history)
            if runs_now:
                warehouse.run(merge_inventory_current)
        winners = latest(rows, "ADJUSTMENT_ID")
        columns = ("ADJUSTMENT_ID", "QUANTITY_CHANGE", "WAREHOUSE_LOCATION", "SOURCE_OFFSET")
        assert warehouse.rows(names.INVENTORY_HISTORY, *columns) == [
            tuple(row[name] for name in columns) for row in winners
        ]
        assert stock(warehouse) == expected_stock(rows, winners)


def stock(warehouse: LocalWarehouse) -> list[tuple[Any, ...]]:
    columns = ("WAREHOUSE_LOCATION", "CURRENT_STOCK_LEVEL", "LAST_ADJUSTMENT_TIMESTAMP", "PRODUCT_NAME")
    return [
        (place, int(level), *rest)
        for place, level, *rest in warehouse.rows(names.INVENTORY_CURRENT, *columns)
    ]


def expected_stock(rows: list[Row], winners: list[Row]) -> list[tuple[Any, ...]]:
    """A row for every place that any version speaks of, with the sum of the versions that count."""
    expected = []
    for place in sorted({row["WAREHOUSE_LOCATION"] for row in rows}):
        here = [row for row in rows if row["WAREHOUSE_LOCATION"] == place]
        level = sum(row["QUANTITY_CHANGE"] for row in winners if row["WAREHOUSE_LOCATION"] == place)
        time, name = max((row["EVENT_TIMESTAMP"], row["PRODUCT_NAME"] or "") for row in here)
        expected.append((place, level, time, name or None))
    return expected
