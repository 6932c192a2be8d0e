"""The check of the expressions, shown to fire."""

import pytest

from tests.monitoring import promql

JOBS = {"caves-ingest"}


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        # PITFALLS 28.
        ("sum(caves_ingest_lag)", "nobody exports 'caves_ingest_lag'"),
        ('caves_ingest_lag_messages{topic="a"}', "no label topic"),
        ("sum by (topic) (caves_ingest_lag_messages)", "no label topic"),
        ("sum by (instance) (sum(caves_ingest_lag_messages))", "no label instance"),
        ('caves_ingest_gaps_total{reason="GONE"}', "reason is never 'GONE'"),
        ('up{job="ingest"}', "job is never 'ingest'"),
        ("histogram_quantile(0.5, sum(rate(caves_ingest_commit_seconds_bucket[1m])))", "no label le"),
        ("up and on (partition) caves_ingest_lag_messages", "no label partition"),
        ("up * on (instance) group_left (reason) up", "no label reason"),
    ],
)
def test_an_expression_about_what_is_not_exported_is_refused(expression: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        promql.check(expression, promql.exported(), JOBS)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql.parsed("sum(up")


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("caves_ingest_lag_messages", {"job", "instance", "partition"}),
        ("sum by (partition) (caves_ingest_lag_messages) > 3", {"partition"}),
        ("time() - caves_ingest_last_commit_timestamp_seconds", {"job", "instance"}),
        ('sum(up) or absent(up{job="caves-ingest"})', {"job"}),
        ("up * on (instance) group_left (topic) caves_ingest_source_info", {"job", "instance", "topic"}),
    ],
)
def test_the_labels_of_a_result_are_those_that_prometheus_gives(expression: str, labels: set[str]) -> None:
    assert promql.check(expression, promql.exported(), JOBS) == labels
