"""What the broker knows: is it there, which topics has it, and making the one we need."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.cimpl import NewTopic

from ingest.errors import BrokerUnreachable, KafkaFailed, TopicMissing

log = logging.getLogger(__name__)
# librdkafka writes to stderr by itself unless it is given a logger.
kafka_log = logging.getLogger("ingest.kafka")

DEFAULT_TOPIC: Final = "sales_events"
DEFAULT_PARTITIONS: Final = 4
# Long enough for a broker in another data centre, short enough for a person who mistyped the address.
METADATA_TIMEOUT_SECONDS: Final = 5.0
# It answered, and does not let us: waiting does not help, and a quiet log would hide it.
NOT_ALLOWED: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
# A broker from before topic identities answers with sixteen zero bytes, in base64.
_NO_IDENTITY: Final = "AAAAAAAAAAAAAAAAAAAAAA"


def check_broker(bootstrap: str, timeout_seconds: float = METADATA_TIMEOUT_SECONDS) -> None:
    """Ask for metadata; BrokerUnreachable when nothing sensible comes back."""
    _metadata(bootstrap, timeout_seconds)


def create_topic(bootstrap: str, topic: str = DEFAULT_TOPIC, partitions: int = DEFAULT_PARTITIONS) -> bool:
    """Make the topic; False when it is there already, which is as good.

    One replica: the embedded broker is alone, and a real cluster's topics are made by those who run it.
    """
    check_broker(bootstrap)
    try:
        request = NewTopic(topic, num_partitions=partitions, replication_factor=1)
        # The client must live until its answer is there: unnamed, it would be destroyed while it waits.
        admin = admin_client(bootstrap)
        admin.create_topics([request], operation_timeout=METADATA_TIMEOUT_SECONDS)[topic].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise KafkaFailed(f"making topic {topic!r}", error.args[0].str()) from error
    log.info("made topic %s with %s partitions", topic, partitions)
    return True


def topic_partitions(bootstrap: str, topic: str, extra: Mapping[str, Any] | None = None) -> list[int]:
    """The topic's partitions, in order; TopicMissing names those that exist."""
    topics = _metadata(bootstrap, METADATA_TIMEOUT_SECONDS, extra).topics
    found = topics.get(topic)
    if found is not None and found.error is not None and found.error.code() in NOT_ALLOWED:
        raise KafkaFailed(f"looking at topic {topic!r}", found.error.str())
    if found is None or not found.partitions:
        raise TopicMissing(topic, bootstrap, topics)
    return sorted(found.partitions)


def topic_identity(admin: AdminClient, bootstrap: str, topic: str) -> str | None:
    """What tells this topic from an earlier one of the same name; None where the broker does not say.

    https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers
    """
    request = TopicCollection([topic])
    try:
        answer = admin.describe_topics(request, request_timeout=METADATA_TIMEOUT_SECONDS)[topic].result()
    except KafkaException as error:
        match error.args[0].code():
            case code if code in NOT_ALLOWED:
                raise KafkaFailed(f"looking at topic {topic!r}", error.args[0].str()) from error
            case KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicMissing(topic, bootstrap, ()) from error
            case KafkaError._UNSUPPORTED_FEATURE | KafkaError.UNSUPPORTED_VERSION:
                return None
        raise BrokerUnreachable(bootstrap, error.args[0].str()) from error
    identity = str(answer.topic_id)
    return None if identity == _NO_IDENTITY else identity


def client_settings(bootstrap: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What every Kafka client of ours starts from; `extra` carries a real cluster's TLS and SASL settings."""
    return {
        "bootstrap.servers": bootstrap,
        "client.id": "caves",
        # A broker that is still starting is tried again at once rather than after a growing pause.
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 2000,
        **(extra or {}),
    }


def _metadata(
    bootstrap: str, timeout_seconds: float, extra: Mapping[str, Any] | None = None
) -> ClusterMetadata:
    try:
        return admin_client(bootstrap, extra).list_topics(timeout=timeout_seconds)
    except KafkaException as error:
        raise BrokerUnreachable(bootstrap, error.args[0].str()) from error


def admin_client(bootstrap: str, extra: Mapping[str, Any] | None = None) -> AdminClient:
    return AdminClient(client_settings(bootstrap, extra), logger=kafka_log)
