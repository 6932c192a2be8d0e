"""The ingestor against Apache Kafka, one node: what is in the log is in RAW, each message once."""

import time

import pytest
from confluent_kafka import Producer

from tests.faults.apache_kafka.cluster import KafkaCluster
from tests.faults.conftest import Flow

pytestmark = pytest.mark.kafka


def test_every_message_of_the_log_reaches_raw_once(flow: Flow) -> None:
    flow.produce(5_000, bad_share=0.05)
    assert flow.ingest(batch_rows=700) == 5_000
    flow.produce(1_000, seed=7)
    assert flow.ingest() == 1_000
    assert flow.ingest() == 0
    flow.wait_for(6_000)


def test_comparison_sees_a_row_that_is_lost_and_one_that_is_doubled(flow: Flow) -> None:
    flow.produce(200)
    flow.ingest()
    with flow.warehouse.session() as ask:
        one = (
            f"EVENT_METADATA:topic::VARCHAR = '{flow.topic}' AND"
            " EVENT_METADATA:partition::NUMBER(38, 0) = 1 AND EVENT_METADATA:offset::NUMBER(38, 0) ="
        )
        ask(f"DELETE FROM RAW_DATA.RAW_EVENTS_STREAM WHERE {one} 3")
        ask(f"INSERT INTO RAW_DATA.RAW_EVENTS_STREAM SELECT * FROM RAW_DATA.RAW_EVENTS_STREAM WHERE {one} 4")
    comparison = flow.compared()
    assert (comparison.lost, comparison.doubled, comparison.unknown) == ([(1, 3)], [(1, 4)], [])


def test_broker_that_is_killed_and_comes_back_is_found_again(one_node: KafkaCluster, flow: Flow) -> None:
    flow.ingest_on(batch_rows=300)
    flow.produce(2_000)
    one_node.kill()
    time.sleep(1)
    one_node.start()
    flow.produce(1_000, seed=2)
    flow.wait_for(3_000)


def test_broker_that_is_silent_for_a_while_is_waited_for(one_node: KafkaCluster, flow: Flow) -> None:
    flow.produce(1_000)
    flow.ingest_on(batch_rows=300)
    one_node.nodes[0].pause()
    time.sleep(3)
    one_node.nodes[0].resume()
    flow.produce(1_000, seed=2)
    flow.wait_for(2_000)


def test_aborted_transactions_never_reach_raw_and_committed_ones_do(flow: Flow) -> None:
    assert flow.produce_in_transactions(20) == 250
    assert flow.ingest(batch_rows=60) == 250
    flow.wait_for(250)
    with flow.warehouse.session() as ask:
        orders = ask(
            "SELECT COUNT(DISTINCT EVENT_CONTENT:order_line_id::VARCHAR) FROM RAW_DATA.RAW_EVENTS_STREAM"
            f" WHERE EVENT_METADATA:topic::VARCHAR = '{flow.topic}'"
            " AND MOD(SPLIT_PART(EVENT_CONTENT:order_line_id::VARCHAR, '-', 1)::NUMBER(38, 0), 2) = 0"
        )
    assert orders == [(250,)]


def test_ingestor_behind_an_open_transaction_waits_for_its_end(flow: Flow) -> None:
    """What comes after the first message of an open transaction is not stable yet."""
    producer = Producer({"bootstrap.servers": flow.cluster.bootstrap, "transactional.id": flow.topic})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(flow.topic, b"{}", partition=0)
    producer.flush(20)
    plain = Producer({"bootstrap.servers": flow.cluster.bootstrap})
    plain.produce(flow.topic, b"{}", partition=0)
    plain.flush(20)
    assert flow.ingest() == 0
    producer.commit_transaction(20)
    assert flow.ingest() == 2
    flow.wait_for(2)
