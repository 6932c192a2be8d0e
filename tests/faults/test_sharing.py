"""Several ingestors in one consumer group: they share the work, and a change of owner costs no message."""

import time

import pytest

from tests.faults.apache_kafka.cluster import wait_until
from tests.faults.conftest import Flow
from tests.faults.ingestors import PAST_THE_SESSION_TIMEOUT_SECONDS

pytestmark = pytest.mark.kafka


def test_ingestors_join_and_leave_in_full_flow(flow: Flow) -> None:
    first, _ = flow.ingestor(), flow.ingestor()
    wait_until(lambda: flow.owners == 2)
    flow.produce(2_000)
    flow.ingestor()
    flow.produce(2_000, seed=2)
    wait_until(lambda: flow.owners == 3)
    flow.produce(2_000, seed=3)
    assert first.stop() == 0
    wait_until(lambda: flow.owners == 2)
    flow.produce(2_000, seed=4)
    flow.wait_for(8_000)


def test_partitions_of_an_ingestor_that_is_killed_go_to_the_other(flow: Flow) -> None:
    victim, _ = flow.ingestor(), flow.ingestor()
    wait_until(lambda: flow.owners == 2)
    flow.produce(3_000)
    victim.kill()
    flow.produce(1_000, seed=2)
    flow.wait_for(4_000)
    assert flow.owners == 1


def test_zombie_that_wakes_up_after_its_partitions_moved_doubles_nothing(flow: Flow) -> None:
    zombie, _ = flow.ingestor(), flow.ingestor()
    wait_until(lambda: flow.owners == 2)
    flow.produce(3_000)
    zombie.pause()
    time.sleep(PAST_THE_SESSION_TIMEOUT_SECONDS)
    flow.produce(1_000, seed=2)
    wait_until(lambda: flow.rows == 4_000)
    zombie.resume()
    flow.produce(1_000, seed=3)
    flow.wait_for(5_000)
