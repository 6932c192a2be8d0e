"""Alive and ready are two questions, and an outage of the warehouse answers them differently."""

from dataclasses import dataclass

import pytest

from ingest.errors import BrokerUnreachable, IngestError, WarehouseBusy, WarehouseUnreachable
from ingest.health import STUCK_SECONDS, Health
from ingest.observer import BatchReport

REPORT = BatchReport(1, 1, 0.1, 0.1, {0: 1}, 1)


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Of an ingestor that loads."""
    health = Health(clock)
    health.offsets_read({0: 5, 1: 7})
    health.partitions_owned(frozenset({0, 1}))
    return health


def test_an_ingestor_that_has_just_started_is_alive_and_not_ready(clock: Clock) -> None:
    fresh = Health(clock)
    assert fresh.alive().holds
    assert not fresh.ready().holds
    assert fresh.ready().facts == {
        "loop_turns": True,
        "partitions_owned": 0,
        "stored_offsets_read": False,
        "warehouse_answered": False,
    }


def test_partitions_with_their_offsets_read_make_it_ready(health: Health) -> None:
    assert health.ready().holds


def test_a_partition_whose_offset_is_not_read_yet_makes_it_unready(health: Health) -> None:
    health.partitions_owned(frozenset({0, 1, 2}))
    assert not health.ready().holds
    health.offsets_read({2: 0})
    assert health.ready().holds


def test_a_partition_that_comes_back_is_read_anew(health: Health) -> None:
    health.partitions_owned(frozenset({0}))
    health.partitions_owned(frozenset({0, 1}))
    assert health.ready().facts["stored_offsets_read"] is False


def test_without_a_partition_it_is_not_ready(health: Health) -> None:
    health.partitions_owned(frozenset())
    assert not health.ready().holds


@pytest.mark.parametrize("error", [WarehouseUnreachable("w", "gone"), WarehouseBusy("INSERT", "locked")])
def test_a_failed_attempt_at_the_warehouse_makes_it_unready_and_not_dead(
    health: Health, error: IngestError
) -> None:
    health.retried(error)
    assert health.ready().facts["warehouse_answered"] is False
    assert not health.ready().holds
    assert health.alive().holds
    health.batch_committed(REPORT)
    assert health.ready().holds


def test_a_broker_that_is_away_says_nothing_of_the_warehouse(health: Health) -> None:
    health.retried(BrokerUnreachable("b", "gone"))
    assert health.ready().holds


def test_a_loop_that_does_not_turn_is_dead_and_not_ready_until_it_turns_again(
    health: Health, clock: Clock
) -> None:
    clock.now += STUCK_SECONDS
    assert health.alive().holds
    clock.now += 0.1
    assert not health.alive().holds
    assert not health.ready().holds
    health.turned()
    assert health.alive().holds
    assert health.ready().holds


def test_a_commit_is_no_sign_of_life_of_the_loop(health: Health, clock: Clock) -> None:
    clock.now += STUCK_SECONDS + 1
    health.batch_committed(REPORT)
    assert not health.alive().holds


def test_waiting_for_a_warehouse_that_is_away_is_life_as_long_as_it_is_tried(
    health: Health, clock: Clock
) -> None:
    for _ in range(10):
        clock.now += STUCK_SECONDS / 2
        health.retried(WarehouseUnreachable("w", "gone"))
    assert health.alive().holds
