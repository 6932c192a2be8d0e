"""The state of the pipeline as a picture that fits 80 columns and one screen."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from caves_cli import console
from caves_cli.errors import failure_reason
from caves_cli.ingest_progress import IngestProgress
from caves_cli.overview import COUNTED, TASK_STREAMS, OpenAlert, Overview, TaskRun

# Stock may be low in hundreds of places; --json lists them all.
_SHOWN_ALERTS: Final = 5
_LONGEST_REASON: Final = 200


def picture(seen: Overview, ingest: IngestProgress, before: Overview | None = None) -> RenderableType:
    """The alerts first: they are what somebody who is called wants to know."""
    return Group(*_parts(seen, ingest, before))


def as_json(seen: Overview, ingest: IngestProgress) -> dict[str, Any]:
    return {**seen.as_json(), "ingest": ingest.as_json()}


def _parts(seen: Overview, ingest: IngestProgress, before: Overview | None) -> Iterator[RenderableType]:
    yield from _alerts(seen.alerts)
    yield Text()
    yield _rows(seen.rows, before.rows if before else None)
    yield Text()
    yield _tasks(seen)
    for task in seen.tasks:
        run = seen.last_run(task.name)
        if run is not None and _has_failed(run):
            reason = failure_reason(run.error)[:_LONGEST_REASON]
            yield Text(f"{task.name} failed: {reason}", style="red")
    yield Text()
    yield _ingest(ingest, seen.at)


def _alerts(alerts: list[OpenAlert]) -> Iterator[RenderableType]:
    if not alerts:
        yield Text.assemble(("Open alerts", "bold"), ": none")
        return
    rows = [
        (
            alert.alert,
            alert.subject,
            Text(alert.severity.lower(), "red" if alert.severity == "CRITICAL" else "yellow"),
            _clock(alert.fired.replace(tzinfo=UTC)),
        )
        for alert in alerts[:_SHOWN_ALERTS]
    ]
    yield console.grid(f"Open alerts ({len(alerts)})", ("alert", "subject", "severity", "since"), rows)
    if len(alerts) > _SHOWN_ALERTS:
        yield Text(f"... and {len(alerts) - _SHOWN_ALERTS:,} more; --json lists them all", style="dim")


def _rows(rows: Mapping[str, int], before: Mapping[str, int] | None) -> RenderableType:
    changes = [count - (before or rows)[layer] for layer, count in rows.items()]
    body = [
        (COUNTED[layer], count, *([f"{change:+,}" if change else ""] if before else []))
        for (layer, count), change in zip(rows.items(), changes, strict=True)
    ]
    return console.grid("Rows", ("table", "rows", *(["change"] if before else [])), body)


def _tasks(seen: Overview) -> RenderableType:
    body = [
        (
            task.name,
            Text(task.state, "" if task.state == "started" else "yellow"),
            seen.waiting.get(TASK_STREAMS.get(task.name, ""), 0),
            _last(seen.last_run(task.name)),
        )
        for task in seen.tasks
    ]
    schedule = next((task.schedule for task in seen.tasks if task.schedule), None)
    title = f"Tasks, every {schedule}" if schedule else "Tasks"
    return console.grid(title, ("task", "state", "waiting", "last run"), body)


def _last(run: TaskRun | None) -> Text:
    if run is None or run.scheduled is None:
        return Text("none yet", "dim")
    if _has_failed(run):
        return Text(f"{_clock(run.scheduled)} FAILED", "red")
    return Text(f"{_clock(run.scheduled)}" + ("" if run.seconds is None else f", {run.seconds:.1f} s"))


def _has_failed(run: TaskRun) -> bool:
    return run.state.startswith("FAILED")


def _ingest(ingest: IngestProgress, now: datetime) -> Text:
    latest = ingest.latest
    if latest is None:
        loaded = "nothing loaded yet"
    else:
        places = len(ingest.loaded)
        loaded = f"{places} partition{'s' * (places != 1)}, last load {_ago((now - latest).total_seconds())}"
    behind = ingest.total_behind
    if behind is None:
        lag = Text(f"lag unknown: {ingest.unknown}", "dim")
    else:
        lag = Text(f"{behind:,} messages behind", "yellow" if behind else "green")
    return Text.assemble((f"Ingest of {ingest.topic}", "bold"), f": {loaded}, ", lag)


def _clock(time: datetime) -> str:
    """Local time; with its date where that is not today."""
    local = time.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if today else f"{local:%Y-%m-%d %H:%M}"


def _ago(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(0, seconds):.0f} s ago"
