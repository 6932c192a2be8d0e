"""What `caves status` shows of a state, on 80 columns."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from caves_cli import status_shown
from caves_cli.ingest_progress import IngestProgress
from caves_cli.overview import COUNTED, TASK_STREAMS, LoadedUpTo, OpenAlert, Overview, TaskRun, TaskState

NOW = datetime.now(UTC)
FAILURE = 'Traceback (most recent call last):\n  File "x.py", line 3, in main\nValueError: no such order'
SEEN = Overview(
    at=NOW,
    rows=dict.fromkeys(COUNTED, 1_234_567),
    waiting=dict.fromkeys(TASK_STREAMS.values(), 98_765),
    tasks=[TaskState(task, "started", "1 MINUTE" if "RAW" in task else None) for task in TASK_STREAMS],
    runs=[
        TaskRun(task, "SUCCEEDED", NOW, NOW + timedelta(seconds=1.25), "{}", None) for task in TASK_STREAMS
    ],
    alerts=[OpenAlert("LOW_STOCK", f"1011/BORDEAUX-CHARTRONS-{n}", "WARNING", NOW) for n in range(9)],
    loaded=[LoadedUpTo("t", partition, 10, NOW - timedelta(seconds=70)) for partition in range(4)],
)
INGEST = IngestProgress("t", SEEN.loaded, {0: 5, 1: 0, 2: 2, 3: 0})


def drawn(seen: Overview, ingest: IngestProgress = INGEST, before: Overview | None = None) -> str:
    target = io.StringIO()
    Console(file=target, width=80).print(status_shown.picture(seen, ingest, before))
    return target.getvalue()


def test_it_fits_80_columns_without_a_broken_name() -> None:
    text = drawn(SEEN, before=SEEN)
    assert max(map(len, text.splitlines())) <= 80
    for name in (*TASK_STREAMS, *COUNTED.values(), "1011/BORDEAUX-CHARTRONS-4"):
        assert name in text


def test_alerts_come_first_and_the_rest_of_them_is_counted() -> None:
    lines = drawn(SEEN).splitlines()
    assert lines[0].strip() == "Open alerts (9)"
    assert "... and 4 more; --json lists them all" in lines


def test_no_alert_is_said() -> None:
    assert drawn(replace(SEEN, alerts=[])).startswith("Open alerts: none\n")


def test_a_failed_run_is_told_with_its_reason() -> None:
    task = next(iter(TASK_STREAMS))
    failed = TaskRun(task, "FAILED", NOW, NOW, None, FAILURE)
    text = drawn(replace(SEEN, runs=[failed, *SEEN.runs]))
    assert f"{task} failed: ValueError: no such order" in text
    assert "Traceback" not in text


def test_a_later_success_ends_the_talk_of_a_failure() -> None:
    failed = TaskRun(next(iter(TASK_STREAMS)), "FAILED", NOW, NOW, None, FAILURE)
    assert "failed" not in drawn(replace(SEEN, runs=[*SEEN.runs, failed]))


def test_the_change_since_the_look_before_is_shown() -> None:
    before = replace(SEEN, rows={**SEEN.rows, "orders": 1_234_000})
    assert "+567" in drawn(SEEN, before=before)


@pytest.mark.parametrize(
    ("ingest", "told"),
    [
        (INGEST, "Ingest of t: 4 partitions, last load 1 min ago, 7 messages behind"),
        (IngestProgress("t", []), "Ingest of t: nothing loaded yet, 0 messages behind"),
        (IngestProgress("t", [], unknown="gone"), "Ingest of t: nothing loaded yet, lag unknown: gone"),
    ],
)
def test_ingest_is_one_line(ingest: IngestProgress, told: str) -> None:
    assert drawn(SEEN, ingest).splitlines()[-1] == told


def test_json_has_every_partition() -> None:
    document = status_shown.as_json(SEEN, INGEST)
    assert document["ingest"]["behind"] == 7
    assert [part["behind"] for part in document["ingest"]["partitions"]] == [5, 0, 2, 0]
    assert {"rows", "waiting", "tasks", "runs", "alerts"} < document.keys()
