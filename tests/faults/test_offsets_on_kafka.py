"""Offsets that the log does not have, on a broker that has retention, deletion and growth: by each policy."""

from typing import Any

import pytest

from caves_snowpark.invariants import invariants
from caves_snowpark.names import KAFKA_OFFSET_GAPS
from ingest.errors import OffsetOutOfRange
from ingest.positions import OnOffsetReset
from tests.faults.conftest import Flow

pytestmark = pytest.mark.kafka

Gaps = list[tuple[Any, ...]]


def gaps(flow: Flow) -> Gaps:
    """What the warehouse says was never loaded."""
    with flow.warehouse.session() as ask:
        found: Gaps = ask(
            f"SELECT REASON, PARTITION, FROM_OFFSET, TO_OFFSET FROM {KAFKA_OFFSET_GAPS}"
            f" WHERE TOPIC = '{flow.topic}' ORDER BY 1, 2, 3"
        )
    return found


def breaks_invariant_1(flow: Flow) -> list[str]:
    """The offenders among this flow's messages; the warehouse holds other tests' topics too."""
    (first,) = (invariant for invariant in invariants() if invariant.number == 1)
    with flow.warehouse.session() as ask:
        return [str(row) for row in ask(first.sql) if flow.topic in str(row[0])]


def lose_the_beginning(flow: Flow) -> tuple[int, int]:
    """Load some, produce more, and let retention pass the stored offset of partition 1; from and to."""
    flow.produce(600)
    flow.ingest()
    stored = flow.cluster.bounds(flow.topic)[1][1]
    flow.produce(600, seed=2)
    flow.cluster.delete_records(flow.topic, {1: stored + 10})
    return stored, stored + 10


def test_retention_that_passed_the_stored_offset_ends_the_ingestor_and_loads_nothing(flow: Flow) -> None:
    _, first = lose_the_beginning(flow)
    with pytest.raises(OffsetOutOfRange, match=rf"Partition 1 .* holds offsets {first} to"):
        flow.ingest()
    assert gaps(flow) == []
    assert flow.compared().lost != []


def test_retention_that_passed_the_stored_offset_is_recorded_with_the_policy_earliest(flow: Flow) -> None:
    stored, first = lose_the_beginning(flow)
    assert flow.ingest(on_offset_reset=OnOffsetReset.EARLIEST) == 590
    assert gaps(flow) == [("RETENTION", 1, stored, first)]
    # What the log still has is in RAW, and what RAW has besides was loaded before retention took it.
    comparison = flow.compared()
    assert (comparison.lost, comparison.doubled) == ([], [])
    assert {partition for partition, _ in comparison.unknown} <= {1}
    assert breaks_invariant_1(flow) == []


def test_topic_made_anew_is_told_by_its_id(flow: Flow) -> None:
    # PITFALLS 29: the new log is longer, so its offsets alone tell nothing.
    flow.produce(100)
    flow.ingest()
    flow.cluster.delete_topic(flow.topic)
    flow.cluster.create_topic(flow.topic)
    flow.produce(400, seed=2)
    with pytest.raises(OffsetOutOfRange, match="deleted and made anew"):
        flow.ingest()
    assert flow.ingest(on_offset_reset=OnOffsetReset.EARLIEST) == 400
    assert {gap[0] for gap in gaps(flow)} == {"TOPIC_REPLACED"}
    assert breaks_invariant_1(flow) == []


@pytest.mark.parametrize("assign", [True, False])
def test_partitions_that_are_added_are_read_too(flow: Flow, assign: bool) -> None:
    flow.produce(400)
    often = {"topic.metadata.refresh.interval.ms": 500}
    flow.ingest_on(assign=assign, kafka=often, topic_check_seconds=0.5)
    flow.wait_for(400)
    flow.cluster.add_partitions(flow.topic, 7)
    flow.produce(1_000, seed=2)
    flow.wait_for(1_400)
    assert {partition for partition, _ in flow.log()} == set(range(7))


def test_markers_of_transactions_are_recorded_as_no_messages(flow: Flow) -> None:
    flow.produce_in_transactions(12)
    flow.ingest()
    flow.produce(50)
    flow.ingest()
    assert {gap[0] for gap in gaps(flow)} == {"NOT_IN_LOG"}
    assert breaks_invariant_1(flow) == []
