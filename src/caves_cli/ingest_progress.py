"""How far loading has come from Kafka, and how far it is behind where a broker says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caves_cli.overview import LoadedUpTo
from ingest.errors import IngestError, TopicMissing


@dataclass(frozen=True)
class IngestProgress:
    """One topic, as the warehouse and the broker see it."""

    topic: str
    loaded: list[LoadedUpTo]
    # By partition; empty where the broker was not asked or did not answer.
    behind: dict[int, int] = field(default_factory=dict)
    # Why `behind` is not known.
    unknown: str | None = None

    @property
    def total_behind(self) -> int | None:
        return None if self.unknown else sum(self.behind.values())

    @property
    def latest(self) -> datetime | None:
        return max((partition.updated for partition in self.loaded), default=None)

    def as_json(self) -> dict[str, Any]:
        loaded = {place.partition: place for place in self.loaded}
        return {
            "topic": self.topic,
            "behind": self.total_behind,
            "unknown": self.unknown,
            "partitions": [
                {
                    "partition": partition,
                    "next_offset": loaded[partition].next_offset if partition in loaded else None,
                    "updated": loaded[partition].updated.isoformat() if partition in loaded else None,
                    "behind": self.behind.get(partition),
                }
                for partition in sorted({*loaded, *self.behind})
            ],
        }


def ingest_progress(loaded: Sequence[LoadedUpTo], topic: str, bootstrap: str | None) -> IngestProgress:
    """The progress of one topic. A broker that does not answer is no reason to fail."""
    ours = [place for place in loaded if place.topic == topic]
    if bootstrap is None:
        return IngestProgress(topic, ours, unknown="no broker is named (--bootstrap)")
    # Imported here: librdkafka is not needed by those who only read the warehouse.
    from caves_cli.kafka_logs import kafka_logs

    try:
        logs = kafka_logs(bootstrap, topic, {place.partition: place.next_offset for place in ours})
    except TopicMissing:
        return IngestProgress(topic, ours, unknown=f"{bootstrap} has no such topic")
    except IngestError:
        return IngestProgress(topic, ours, unknown=f"no broker answers at {bootstrap}")
    return IngestProgress(topic, ours, {partition: log.behind for partition, log in logs.items()})
