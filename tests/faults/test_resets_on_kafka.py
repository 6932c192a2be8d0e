"""Stored offsets that Apache Kafka's log does not have, as it says so itself: by a refused fetch."""

import pytest

from caves_snowpark.names import KAFKA_OFFSET_GAPS, KAFKA_OFFSETS, RAW_EVENTS
from ingest.errors import OffsetOutOfRange
from ingest.positions import OnOffsetReset
from tests.faults.apache_kafka.cluster import wait_until
from tests.faults.conftest import Flow

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("assign", [True, False])
def test_a_refused_fetch_is_answered_by_the_policy_and_reading_goes_on(flow: Flow, assign: bool) -> None:
    # PITFALLS 29. The client stops a partition whose fetch was refused: it cannot be told to seek any more.
    flow.produce(400)
    flow.ingest()
    with flow.warehouse.session() as ask:
        ask(
            f"UPDATE {KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET + 5000 "
            f"WHERE TOPIC = '{flow.topic}' AND PARTITION = 0"
        )
    with pytest.raises(OffsetOutOfRange, match="the log lost its end"):
        flow.ingest(assign=assign)
    # Its messages come again, as another generation, and those of the others do not.
    again = flow.ingest(assign=assign, on_offset_reset=OnOffsetReset.EARLIEST)
    with flow.warehouse.session() as ask:
        stored = ask(
            "SELECT PARTITION, LOG_GENERATION, NEXT_OFFSET "
            f"FROM {KAFKA_OFFSETS} WHERE TOPIC = '{flow.topic}' ORDER BY PARTITION"
        )
        gaps = ask(f"SELECT PARTITION, REASON FROM {KAFKA_OFFSET_GAPS} WHERE TOPIC = '{flow.topic}'")
    assert [generation for _, generation, _ in stored] == [1, 0, 0, 0]
    assert again == stored[0][2]
    assert gaps == [(0, "LOG_TRUNCATED")]


def test_a_longer_log_that_replaced_ours_while_we_read_is_not_taken_for_its_continuation(flow: Flow) -> None:
    # PITFALLS 29. The client reads on in the new log, and the look at the topic now and then is far away.
    flow.produce(200)
    flow.ingest_on(on_offset_reset=OnOffsetReset.EARLIEST, topic_check_seconds=600.0)
    flow.wait_for(200)
    flow.cluster.delete_topic(flow.topic)
    flow.cluster.create_topic(flow.topic, partitions=4)
    flow.produce(2_000, seed=3)
    wait_until(lambda: flow.rows >= 2_200)
    with flow.warehouse.session() as ask:
        loaded = ask(
            f"SELECT COALESCE(EVENT_METADATA:generation::NUMBER(38, 0), 0) AS G, COUNT(*) FROM {RAW_EVENTS} "
            f"WHERE EVENT_METADATA:topic::VARCHAR = '{flow.topic}' GROUP BY G ORDER BY G"
        )
    assert loaded == [(0, 200), (1, 2_000)]
