"""The metrics against the facts that they come from, and against their page."""

import re
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest import errors
from ingest.errors import FencedError, IngestError, WarehouseBusy, WarehouseUnreachable
from ingest.metrics import GAP_REASONS, OTHER, IngestMetrics
from ingest.observer import BatchReport, Observers

ROOT = Path(__file__).parents[2]
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]

UNREACHABLE = WarehouseUnreachable("127.0.0.1:1", "gone")


@pytest.fixture
def metrics() -> IngestMetrics:
    return IngestMetrics("sales_events", "caves-ingest", 48_000_000)


def scraped(exposition: bytes) -> Series:
    families = text_string_to_metric_families(exposition.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: IngestMetrics, name: str, **labels: str) -> float | None:
    return scraped(metrics.exposition()).get((f"caves_ingest_{name}", tuple(sorted(labels.items()))))


def a_batch(rows: int = 100, start: int = 0) -> BatchReport:
    return BatchReport(rows, rows * 300, 0.2, 1.2, {0: start + rows}, start + rows, {0: start})


def test_nothing_is_counted_before_a_batch_is_committed(metrics: IngestMetrics) -> None:
    # PITFALLS 28.
    metrics.partitions_owned(frozenset({0}))
    metrics.buffered(30_000, 100)
    metrics.lag(0, 100)
    metrics.retried(UNREACHABLE)
    assert value(metrics, "messages_total") == value(metrics, "batches_total") == 0
    assert value(metrics, "last_commit_timestamp_seconds") == 0
    assert value(metrics, "next_offset", partition="0") is None


def test_a_committed_batch_moves_the_totals_the_times_and_the_next_offset(metrics: IngestMetrics) -> None:
    metrics.partitions_owned(frozenset({0}))
    metrics.offsets_read({0: 0})
    before = time.time()
    metrics.batch_committed(a_batch(100))
    metrics.batch_committed(a_batch(50, start=100))
    assert value(metrics, "messages_total") == 150
    assert value(metrics, "payload_bytes_total") == 45_000
    assert value(metrics, "batches_total") == 2
    assert value(metrics, "next_offset", partition="0") == 150
    assert value(metrics, "commit_seconds_sum") == pytest.approx(0.4)
    assert value(metrics, "commit_seconds_count") == value(metrics, "batch_seconds_count") == 2
    assert value(metrics, "batch_seconds_sum") == pytest.approx(2.4)
    assert before <= (value(metrics, "last_commit_timestamp_seconds") or 0) <= time.time()


def test_retries_gaps_duplicates_and_fences_are_counted_by_their_reason(metrics: IngestMetrics) -> None:
    metrics.retried(UNREACHABLE)
    metrics.retried(UNREACHABLE)
    metrics.retried(WarehouseBusy("INSERT", "locked"))
    metrics.repeated(3, 17)
    metrics.gap_recorded(0, 40, "RETENTION")
    metrics.gap_recorded(1, None, "RETENTION")
    metrics.fenced(FencedError("t", {}, {}))
    assert value(metrics, "retries_total", reason="WarehouseUnreachable") == 2
    assert value(metrics, "retries_total", reason="WarehouseBusy") == 1
    assert value(metrics, "duplicates_total") == 17
    assert value(metrics, "gaps_total", reason="RETENTION") == 2
    assert value(metrics, "gap_offsets_total", reason="RETENTION") == 40
    assert value(metrics, "fenced_total") == 1


def test_buffer_and_pauses_show_what_is_now(metrics: IngestMetrics) -> None:
    metrics.buffered(1_000, 9)
    metrics.paused(frozenset({0, 1}))
    metrics.buffered(500, 4)
    assert value(metrics, "buffer_bytes") == 500
    assert value(metrics, "buffer_messages") == 4
    assert value(metrics, "buffer_limit_bytes") == 48_000_000
    assert value(metrics, "paused_partitions") == 2
    metrics.paused(frozenset())
    assert value(metrics, "paused_partitions") == 0


def test_a_partition_that_leaves_takes_its_gauges_along_and_does_not_come_back_late(
    metrics: IngestMetrics,
) -> None:
    metrics.offsets_read({0: 5, 1: 6})
    metrics.partitions_owned(frozenset({0, 1}))
    metrics.lag(0, 10)
    metrics.lag(1, 11)
    metrics.partitions_owned(frozenset({1}))
    # What was on its way for partition 0 when it left.
    metrics.lag(0, 9)
    metrics.batch_committed(BatchReport(1, 1, 0.1, 0.1, {0: 6, 1: 7}, 1))
    partitions = {
        dict(labels)["partition"]
        for _, labels in scraped(metrics.exposition())
        if "partition" in dict(labels)
    }
    assert partitions == {"1"}
    assert value(metrics, "owned_partitions") == 1
    assert value(metrics, "next_offset", partition="1") == 7
    # What it committed stays counted.
    assert value(metrics, "messages_total") == 1


def test_every_transient_error_has_its_series_from_the_start_and_no_other_adds_one(
    metrics: IngestMetrics,
) -> None:
    def reasons() -> set[str]:
        return {
            dict(k)["reason"] for n, k in scraped(metrics.exposition()) if n == "caves_ingest_retries_total"
        }

    transient = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, IngestError) and kind.transient
    }
    assert transient
    assert reasons() == {*transient, OTHER}
    metrics.retried(FencedError("t", {}, {}))
    metrics.retried(type("Made\nup", (IngestError,), {})())
    metrics.gap_recorded(0, 1, "A REASON OF TOMORROW")
    assert reasons() == {*transient, OTHER}
    assert value(metrics, "retries_total", reason=OTHER) == 2
    assert value(metrics, "gaps_total", reason=OTHER) == 1


def test_a_hostile_topic_stays_inside_its_label() -> None:
    topic = 'x"} 1\ncaves_ingest_messages_total 99\n\\'
    metrics = IngestMetrics(topic, "g", 1)
    assert value(metrics, "messages_total") == 0
    assert value(metrics, "source_info", topic=topic, group="g") == 1


def test_a_scrape_sees_a_batch_wholly_or_not_at_all(metrics: IngestMetrics) -> None:
    metrics.offsets_read({0: 0})
    metrics.partitions_owned(frozenset({0}))
    stop = Event()

    def load() -> None:
        start = 0
        while not stop.is_set():
            metrics.batch_committed(a_batch(7, start))
            start += 7

    loader = Thread(target=load)
    loader.start()
    try:
        scrapes = [scraped(metrics.exposition()) for _ in range(200)]
    finally:
        stop.set()
        loader.join(10)
    totals = [series[("caves_ingest_messages_total", ())] for series in scrapes]
    offsets = [series[("caves_ingest_next_offset", (("partition", "0"),))] for series in scrapes]
    assert totals == offsets
    assert len(set(totals)) > 2


def test_two_ingestors_in_one_process_keep_their_metrics_apart(metrics: IngestMetrics) -> None:
    other = IngestMetrics("t", "g", 1)
    Observers(other).batch_committed(a_batch())
    assert value(metrics, "messages_total") == 0


# docs/metrics.md


def _table(metrics: IngestMetrics) -> list[str]:
    """The rows that the page must have: one for each metric of ours, as it is exposed."""
    metrics.offsets_read({0: 0})
    metrics.partitions_owned(frozenset({0}))
    metrics.lag(0, 0)
    rows = []
    for family in metrics.registry.collect():
        if family.name.startswith("process_"):
            continue
        ending = {"counter": "_total", "info": "_info"}.get(family.type, "")
        labels = sorted(
            {f"`{label}`" for sample in family.samples for label in sample.labels if label != "le"}
        )
        rows.append(
            f"| `{family.name}{ending}` | {family.type} | {', '.join(labels)} | {family.documentation} |"
        )
    return rows


def test_the_page_has_exactly_the_metrics_of_the_code(metrics: IngestMetrics) -> None:
    # PITFALLS 28.
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `caves_ingest_")]
    assert rows == _table(metrics)


def test_no_page_board_or_rule_names_a_metric_that_does_not_exist(metrics: IngestMetrics) -> None:
    # PITFALLS 28.
    metrics.offsets_read({0: 0})
    metrics.partitions_owned(frozenset({0}))
    metrics.lag(0, 0)
    exposed = {name for name, _ in scraped(metrics.exposition())} | {
        family.name for family in metrics.registry.collect() if family.type == "histogram"
    }
    kinds = (
        "*.md",
        "docs/**/*.md",
        "ingest/**/*.json",
        "ingest/**/*.y*ml",
        "ingest/**/*.md",
        "deploy/**/*.json",
    )
    named = {
        (name, path.name)
        for kind in kinds
        for path in ROOT.glob(kind)
        for name in re.findall(r"\bcaves_ingest_[a-z_]+[a-z]", path.read_text(encoding="utf-8"))
    }
    assert named
    assert {(name, path) for name, path in named if name not in exposed} == set()


@pytest.mark.parametrize("reason", GAP_REASONS)
def test_the_page_explains_every_reason_of_a_gap(reason: str) -> None:
    assert f"`{reason}`" in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
