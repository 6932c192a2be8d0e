"""What Prometheus is told. Each number comes from a fact of the ingestor, told after the commit it speaks of.

One lock covers each fact and each scrape, so that a scrape sees a batch wholly or not at all: the messages
counted and the next offsets always belong together. docs/metrics.md has the table; a test keeps it true.
"""

import platform
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from threading import Lock
from typing import Final

import confluent_kafka
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from ingest.errors import IngestError
from ingest.observer import BatchReport, Observer
from ingest.positions import GapReason

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
# The REASON column of RAW_DATA.KAFKA_OFFSET_GAPS.
GAP_REASONS: Final = tuple(reason.value for reason in GapReason)
# A label takes only values that are known beforehand; a new one counts here until it is named above.
OTHER: Final = "other"

# From a batch of a few rows on this machine to one that waited for a warehouse that was away for minutes.
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class IngestMetrics(Observer):
    """The metrics of one ingestor, in a registry of their own."""

    def __init__(self, topic: str, group: str, buffer_limit_bytes: int) -> None:
        # When a series began is of no use here, and doubles their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._partitions: frozenset[int] = frozenset()
        self._define_totals()
        self._define_state()
        ProcessCollector(registry=self._registry)
        self._buffer_limit.set(buffer_limit_bytes)
        self._source.info({"topic": topic, "group": group})
        self._build.info(
            {
                "version": version("caves-snowpark"),
                "python": platform.python_version(),
                "librdkafka": confluent_kafka.libversion()[0],
            }
        )

    def exposition(self) -> bytes:
        """All metrics as they are now, in Prometheus' text format."""
        with self._lock:
            return generate_latest(self._registry)

    @property
    def registry(self) -> CollectorRegistry:
        return self._registry

    def offsets_read(self, offsets: Mapping[int, int]) -> None:
        with self._lock:
            self._partitions |= offsets.keys()
            self._set_next_offsets(offsets)

    def batch_committed(self, report: BatchReport) -> None:
        with self._lock:
            self._messages.inc(report.rows)
            self._payload_bytes.inc(report.payload_bytes)
            self._batches.inc()
            self._commit_seconds.observe(report.seconds)
            self._batch_seconds.observe(report.batch_seconds)
            self._last_commit.set(time.time())
            self._set_next_offsets(report.next_offsets)

    def retried(self, error: IngestError) -> None:
        name = type(error).__name__
        with self._lock:
            self._retries.labels(name if name in _TRANSIENT else OTHER).inc()

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        with self._lock:
            for partition in self._partitions - partitions:
                self._next_offset.remove(str(partition))
                self._lag.remove(str(partition))
            self._partitions = partitions
            self._owned.set(len(partitions))

    def paused(self, partitions: frozenset[int]) -> None:
        with self._lock:
            self._paused.set(len(partitions))

    def buffered(self, held_bytes: int, messages: int) -> None:
        with self._lock:
            self._buffer_bytes.set(held_bytes)
            self._buffer_messages.set(messages)

    def lag(self, partition: int, messages: int) -> None:
        with self._lock:
            if partition in self._partitions:
                self._lag.labels(str(partition)).set(messages)

    def repeated(self, _: int, messages: int) -> None:
        with self._lock:
            self._duplicates.inc(messages)

    def gap_recorded(self, _: int, offsets: int | None, reason: str) -> None:
        known = reason if reason in GAP_REASONS else OTHER
        with self._lock:
            self._gaps.labels(known).inc()
            self._gap_offsets.labels(known).inc(offsets or 0)

    def fenced(self, _: IngestError) -> None:
        with self._lock:
            self._fenced.inc()

    def _set_next_offsets(self, offsets: Mapping[int, int]) -> None:
        # A batch may come in after its partition went to another member: that one tells its offset now.
        for partition in offsets.keys() & self._partitions:
            self._next_offset.labels(str(partition)).set(offsets[partition])

    def _define_totals(self) -> None:
        self._messages = self._counter("messages", "Messages whose rows this process committed.")
        self._payload_bytes = self._counter("payload_bytes", "Bytes of the committed messages' values.")
        self._batches = self._counter("batches", "Batches committed, each with its offsets.")
        self._batch_seconds = self._histogram(
            "batch_seconds", "From a batch's first message read until its commit."
        )
        self._commit_seconds = self._histogram(
            "commit_seconds", "From handing a batch to the warehouse until its commit, retries included."
        )
        self._retries = self._counter(
            "retries", "Attempts that failed and were repeated, by error class.", "reason"
        )
        self._duplicates = self._counter(
            "duplicates", "Messages dropped because Kafka delivered their offset again."
        )
        self._gaps = self._counter(
            "gaps", "Ranges of offsets recorded as never to be loaded, by reason.", "reason"
        )
        self._gap_offsets = self._counter(
            "gap_offsets", "Offsets in those ranges, where their number is known.", "reason"
        )
        self._fenced = self._counter("fenced", "Batches given up because another writer moved the offsets.")
        # From the start, so that the first retry and the first gap are an increase of something.
        for reason in (*_TRANSIENT, OTHER):
            self._retries.labels(reason)
        for reason in (*GAP_REASONS, OTHER):
            self._gaps.labels(reason)
            self._gap_offsets.labels(reason)

    def _define_state(self) -> None:
        self._lag = self._gauge(
            "lag_messages", "Messages of the partition's log that are not in the warehouse.", "partition"
        )
        self._next_offset = self._gauge(
            "next_offset", "The partition's next offset, as it stands in the warehouse.", "partition"
        )
        self._last_commit = self._gauge(
            "last_commit_timestamp_seconds", "When a batch was last committed; 0 before the first."
        )
        self._owned = self._gauge("owned_partitions", "Partitions that this process reads.")
        self._paused = self._gauge("paused_partitions", "Partitions that rest because the buffer is full.")
        self._buffer_bytes = self._gauge("buffer_bytes", "Bytes of messages read and not yet committed.")
        self._buffer_messages = self._gauge("buffer_messages", "Messages read and not yet committed.")
        self._buffer_limit = self._gauge(
            "buffer_limit_bytes", "The bound of buffer_bytes: half of --buffer-mb."
        )
        self._source = Info("caves_ingest_source", "What this process reads.", registry=self._registry)
        self._build = Info("caves_ingest_build", "The versions that run.", registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"caves_ingest_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"caves_ingest_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"caves_ingest_{name}", text, registry=self._registry, buckets=_SECONDS)


def _transient_errors(family: type[IngestError] = IngestError) -> Iterator[str]:
    for error in family.__subclasses__():
        if error.transient:
            yield error.__name__
        yield from _transient_errors(error)


_TRANSIENT: Final = frozenset(_transient_errors())
