"""Pipeline: how far the events have come, and whether all is well. It reads afresh each time."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from caves_snowpark import names
from caves_snowpark.invariants import invariants
from dashboard import advice, charts, queries, sidebar
from dashboard.blocks import Figure, View, figures, section, table

FILTERS: Final = ()
_EVERY: Final = "15s"
# Below it the invariants take about a second; above, they are asked for by hand.
CHECKED_UNASKED: Final = 100_000


def show(view: View) -> None:
    # A warehouse that is asked every 15 seconds never goes to sleep, and is paid for: off until wished for.
    sidebar.keep("live", False)
    live = st.toggle(view.say("pipeline.live"), key="live")
    st.fragment(_state, run_every=_EVERY if live else None)(view)


def _state(view: View) -> None:
    # Refreshed by itself, this runs outside the page and has to catch its own failures.
    with advice.instead_of_failing("pipeline"):
        _show_state(view)


def _show_state(view: View) -> None:
    say, number = view.say, view.formats.number
    health = queries.health(view.session)
    now = datetime.now(UTC)
    figures("pipeline", _figures(view, health, now))

    section(say("pipeline.alerts"), say("pipeline.alerts.note"))
    _alerts(view)

    section(say("pipeline.layers"))
    table(
        view,
        "layers",
        _layers(health, now),
        {
            "LAYER": None,
            "TABLE": None,
            "ROWS": number,
            "LAG": view.formats.duration,
            "EVENT_AGE": view.formats.duration,
        },
    )

    section(say("pipeline.streams"))
    waiting = sorted(health["streams"].items())
    streams = pd.DataFrame(
        [(name.partition(".")[2], rows) for name, rows in waiting], columns=["STREAM", "PENDING"]
    )
    table(view, "streams", streams, {"STREAM": None, "PENDING": number})

    section(say("pipeline.reasons"), say("pipeline.reasons.note"))
    _rejected(view, health["rejected"])
    if health["gaps"]:
        section(say("pipeline.gaps"))
        gaps = pd.DataFrame(sorted(health["gaps"].items()), columns=["REASON", "AMOUNT"])
        table(view, "gaps", gaps, {"REASON": None, "AMOUNT": number})

    section(say("pipeline.runs"))
    _runs(view)
    section(say("pipeline.invariants"), say("pipeline.invariants.note", rows=number(CHECKED_UNASKED)))
    _invariants(view, int(health["tables"][names.RAW_EVENTS]["rows"]))


def _figures(view: View, health: dict[str, Any], now: datetime) -> list[Figure]:
    say, formats = view.say, view.formats
    tables = health["tables"]
    values = {
        "raw": formats.number(tables[names.RAW_EVENTS]["rows"]),
        "pending": formats.number(sum(health["streams"].values())),
        # Events, not reasons: what is rejected, less what was replayed or dismissed.
        "rejected": formats.number(queries.waiting_rejected(view.session)),
        "lag": formats.duration(_age(tables[names.RAW_EVENTS]["latest_write"], now)) or queries.NONE,
        "alerts.open": formats.number(queries.open_alerts(view.session)),
    }
    return [
        Figure(say(f"pipeline.{name}"), value, help=say(f"pipeline.{name}.help"))
        for name, value in values.items()
    ]


def _alerts(view: View) -> None:
    say, formats = view.say, view.formats
    found = queries.alerts(view.session)
    if found.empty:
        st.success(say("pipeline.alerts.none"))
        return
    states = zip(found["SEVERITY"], found["CLEARED_AT"], strict=True)
    found["STATE"] = [say(f"severity.{severity if over is None else 'CLEARED'}") for severity, over in states]
    found["DETAILS"] = [_details(text) for text in found["DETAILS"]]
    over = {"CLEARED_AT": formats.moment} if found["CLEARED_AT"].notna().any() else {}
    kinds = {"STATE": None, "ALERT_NAME": None, "SUBJECT": None, "FIRED_AT": formats.moment}
    table(view, "alerts", found, {**kinds, **over, "DETAILS": None})


def _details(text: str | None) -> str:
    """What an alert found, without the punctuation of JSON and the threshold, which is in its run book."""
    found: dict[str, Any] = json.loads(text) if text else {}
    found.pop("threshold", None)
    # A time to the second; the full one is in OPS.ALERT_LOG.
    return ", ".join(f"{name}: {str(value).partition('.')[0]}" for name, value in found.items())


def _layers(health: dict[str, Any], now: datetime) -> pd.DataFrame:
    lines = [
        (
            *name.split("."),
            found["rows"],
            _age(found["latest_write"], now),
            _age(found["latest_event"], now),
        )
        for name in names.TABLES
        if (found := health["tables"].get(name))
    ]
    columns = ["LAYER", "TABLE", "ROWS", "LAG", "EVENT_AGE"]
    return pd.DataFrame(lines, columns=columns).astype({"LAG": "Int64", "EVENT_AGE": "Int64"}).astype(object)


def _age(moment: str | None, now: datetime) -> int | None:
    return max(0, int((now - datetime.fromisoformat(moment)).total_seconds())) if moment else None


def _rejected(view: View, reasons: dict[str, int]) -> None:
    if not reasons:
        st.success(view.say("pipeline.reasons.none"))
        return
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    rejected = pd.DataFrame(ordered, columns=["REASON", "EVENTS"])
    left, right = st.columns([3, 2])
    with left:
        st.altair_chart(charts.counted(rejected, "REASON", "EVENTS", view.say, view.formats))
    with right:
        table(view, "rejected", rejected, {"REASON": None, "EVENTS": view.formats.number})


def _runs(view: View) -> None:
    say, formats = view.say, view.formats
    runs = queries.task_runs(view.session)
    if runs.empty:
        st.info(say("pipeline.runs.none"))
        return
    states = ("SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "EXECUTING")
    named = {state: say(f"task.{state}") for state in states}
    runs["STATE"] = [named.get(state, state) for state in runs["STATE"]]
    runs["SCHEDULED_TIME"] = [
        moment.astimezone(UTC).replace(tzinfo=None) for moment in runs["SCHEDULED_TIME"]
    ]
    table(
        view,
        "task_runs",
        runs,
        {
            "STATE": None,
            "NAME": None,
            "SCHEDULED_TIME": formats.moment,
            "SECONDS": lambda value: formats.number(value, 1),
            "RETURN_VALUE": None,
            "ERROR_MESSAGE": None,
        },
    )


def _invariants(view: View, raw_rows: int) -> None:
    say = view.say
    if raw_rows > CHECKED_UNASKED and not st.button(say("pipeline.invariants.check")):
        return
    broken = {invariant.number: queries.offenders(view.session, invariant) for invariant in invariants()}
    lines = [
        (say("broken" if count else "holds"), say(f"invariant.{number}"), count)
        for number, count in broken.items()
    ]
    found = pd.DataFrame(lines, columns=["VERDICT", "INVARIANT", "OFFENDERS"])
    table(view, "invariants", found, {"VERDICT": None, "INVARIANT": None, "OFFENDERS": view.formats.number})
