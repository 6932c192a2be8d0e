"""The ingestor against a cluster of three: leaders come and go."""

import pytest

from tests.faults.apache_kafka.cluster import KafkaCluster, wait_until
from tests.faults.conftest import Flow, FlowOn

pytestmark = pytest.mark.kafka


@pytest.fixture
def flow(three_nodes: KafkaCluster, flow_on: FlowOn) -> Flow:
    return flow_on(three_nodes)


def test_every_message_reaches_raw_once_through_a_change_of_leaders(
    three_nodes: KafkaCluster, flow: Flow
) -> None:
    flow.ingest_on(batch_rows=300)
    flow.produce(2_000)
    leaders = three_nodes.leaders(flow.topic)
    victim = three_nodes.node(leaders[0])
    victim.kill()
    # Two of three acknowledge, so the shop goes on.
    flow.produce(2_000, seed=2)
    assert three_nodes.leaders(flow.topic)[0] != victim.number
    three_nodes.start()
    flow.produce(1_000, seed=3)
    flow.wait_for(5_000)
    wait_until(lambda: elected_again(three_nodes, flow.topic, leaders))
    flow.produce(1_000, seed=4)
    flow.wait_for(6_000)


def elected_again(cluster: KafkaCluster, topic: str, leaders: dict[int, int]) -> bool:
    """Ask until the node that came back has caught up and can lead again."""
    cluster.elect_preferred_leaders(topic)
    return cluster.leaders(topic) == leaders
