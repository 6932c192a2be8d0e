"""Invariant 1 on what the ingestor leaves: silent about every state that it makes, not about damage."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from caves_snowpark.invariants import invariants
from caves_snowpark.names import KAFKA_OFFSET_GAPS, KAFKA_OFFSETS, RAW_EVENTS
from tests.ingest.warehouse import LocalWarehouse

Ask = Callable[[str], list[tuple[Any, ...]]]
# Next offset, first offset, generation.
Stored = tuple[int, int, int | None]
# Generation, from, to, reason, where the log that ended had begun.
Gap = tuple[int, int, int | None, str, int | None]

REPLACED: Gap = (0, 3, None, "TOPIC_REPLACED", 0)


@dataclass(frozen=True)
class State:
    """One partition as the warehouse shows it: offsets by generation in `rows`."""

    stored: tuple[Stored, ...]
    gaps: tuple[Gap, ...] = ()
    rows: tuple[tuple[int, range], ...] = ()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    local = LocalWarehouse(tmp_path_factory.mktemp("cellar"))
    local.start()
    try:
        local.deploy()
        with local.session() as session:
            yield session
    finally:
        local.kill(signal.SIGTERM)


def _problems(ask: Ask, state: State) -> list[tuple[Any, ...]]:
    for table in (KAFKA_OFFSETS, KAFKA_OFFSET_GAPS, RAW_EVENTS):
        ask(f"DELETE FROM {table}")
    for next_offset, first, generation in state.stored:
        ask(
            f"INSERT INTO {KAFKA_OFFSETS} (TOPIC, PARTITION, NEXT_OFFSET, FIRST_OFFSET, UPDATED_AT, "
            f"LOG_GENERATION) SELECT 't', 0, {next_offset}, {first}, SYSDATE(), {_sql(generation)}"
        )
    for ended, start, end, reason, began in state.gaps:
        ask(
            f"INSERT INTO {KAFKA_OFFSET_GAPS} (TOPIC, LOG_GENERATION, PARTITION, FROM_OFFSET, TO_OFFSET, "
            f"REASON, FIRST_OFFSET, DETECTED_AT) "
            f"SELECT 't', {ended}, 0, {start}, {_sql(end)}, '{reason}', {_sql(began)}, SYSDATE()"
        )
    for number, offsets in state.rows:
        for offset in offsets:
            ask(
                f"INSERT INTO {RAW_EVENTS} (EVENT_METADATA) SELECT OBJECT_CONSTRUCT('topic', 't', "
                f"'generation', {_sql(number or None)}, 'partition', 0, 'offset', {offset})"
            )
    return ask(invariants()[0].sql)


def _sql(number: int | None) -> str:
    return "NULL" if number is None else str(number)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(State(((0, 0, None),)), id="an empty log of version 0.1"),
        pytest.param(
            State(
                ((9, 0, 0),),
                ((0, 0, 2, "NOT_IN_LOG", None), (0, 4, 8, "NOT_IN_LOG", None)),
                ((0, range(2, 4)), (0, range(8, 9))),
            ),
            id="holes, one of them first",
        ),
        pytest.param(
            State(((12, 5, 0),), ((0, 5, 10, "RETENTION", None),), ((0, range(10, 12)),)),
            id="retention before anything was loaded",
        ),
        pytest.param(
            State(
                ((2, 0, 1),),
                ((0, 3, 10, "RETENTION", None), (0, 12, None, "TOPIC_REPLACED", 0)),
                ((0, range(3)), (0, range(10, 12)), (1, range(2))),
            ),
            id="retention, then another topic",
        ),
        pytest.param(
            State(((30, 5, 1),), (REPLACED, (1, 5, 30, "SKIPPED", None)), ((0, range(3)),)),
            id="another topic, passed over, then nothing",
        ),
        pytest.param(
            State(((0, 0, 2),), (REPLACED, (1, 0, None, "TOPIC_REPLACED", 0)), ((0, range(3)),)),
            id="two other topics, nothing between",
        ),
    ],
)
def test_a_state_that_the_ingestor_makes_is_no_fault(ask: Ask, state: State) -> None:
    assert _problems(ask, state) == []


@pytest.mark.parametrize(
    ("state", "offender", "problem"),
    [
        (State(((3, 0, 0),) * 2, (), ((0, range(3)),)), "t/0", "has 2 stored offsets"),
        (
            State(((0, 0, 1),), (REPLACED, REPLACED), ((0, range(3)),)),
            "t/0",
            "has 2 stored offsets",
        ),
        # The record of the log before it and all its rows are gone.
        (State(((1, 0, 1),), (), ((1, range(1)),)), "t/0", "is in its log 1 with 0 recorded before it"),
        (
            State(((1, 0, 2),), (REPLACED,), ((0, range(3)), (2, range(1)))),
            "t/0",
            "is in its log 2 with 1 recorded before it",
        ),
        (State(((0, 0, 1),), (REPLACED,)), "t/0/3", "offsets from 0 up to it are missing"),
        (
            State(((9, 0, 0),), ((0, 3, 6, "NOT_IN_LOG", None),), ((0, range(5)), (0, range(6, 9)))),
            "t/0/3",
            "is there although it is recorded as a gap",
        ),
        (
            State(((3, 0, 0),), ((0, 3, 6, "NOT_IN_LOG", None),), ((0, range(3)),)),
            "t/0/3",
            "is there although 3 is next",
        ),
        (
            State(((9, 0, 0),), ((0, 3, None, "RETENTION", None),), ((0, range(3)), (0, range(6, 9)))),
            "t/0/6",
            "offsets from 3 up to it are missing",
        ),
    ],
)
def test_damage_is_named(ask: Ask, state: State, offender: str, problem: str) -> None:
    assert (offender, problem) in _problems(ask, state)
