"""Rejected events for a person and for a program. Payloads are strangers' text: see `terminal`."""

import csv
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from caves_cli import console
from caves_cli.rejections import Decision, RejectedEvent, field_of, meaning
from caves_cli.terminal import visible

# Of a payload, what a screen holds.
_SHOWN_CHARACTERS: Final = 4_000
_SHOWN_VALUE: Final = 60


def events(found: Sequence[RejectedEvent], waiting: int, output: str) -> None:
    """Rejected events, one a line; in a table they fit 80 columns."""
    if output != "table":
        _write([_as_dict(event) for event in found], output)
        return
    rows = [
        (
            event.coordinate,
            f"{event.rejected_at:%Y-%m-%d %H:%M}",
            "\n".join([*event.reasons, *([] if event.state == "waiting" else [f"({event.state})"])]),
        )
        for event in found
    ]
    console.table("Rejected events", ("topic/partition/offset", "rejected, UTC", "reasons"), rows)
    left = f", {len(found):,} shown" if len(found) != waiting else ""
    hint = " `caves rejected show COORDINATE` explains one." if found else ""
    console.note(f"{waiting:,} wait{left}.{hint}")


def event(found: RejectedEvent, decisions: Sequence[Decision], *, full: bool) -> None:
    """One event with everything that is known of it."""
    _line(f"{found.coordinate}  {found.state}", style="bold")
    _line(f"rejected {found.rejected_at:%Y-%m-%d %H:%M:%S} UTC, sent {_sent(found)}, key {_key(found)}")
    _line("")
    for reason in found.reasons:
        _line(f"{reason}: {_explained(found, reason)}")
    _line("")
    _payload(found, full=full)
    _line("")
    for decision in decisions:
        _line(
            f"{decision.decision.lower()} {decision.acted_at:%Y-%m-%d %H:%M:%S} UTC by {decision.acted_by}"
            + (f", {decision.outcome.lower()}" if decision.outcome else "")
            + (f": {decision.note}" if decision.note else "")
        )
    if found.replayed_at is None:
        _ways_out(found)


def waiting(counts: Mapping[tuple[str, ...], int]) -> None:
    """What a filter means, by reasons."""
    rows = [("\n".join(reasons), count) for reasons, count in counts.items()]
    console.table("Rejected events that wait", ("reasons", "events"), rows)
    total = sum(counts.values())
    console.note("1 rejected event waits." if total == 1 else f"{total:,} rejected events wait.")


def changes(found: RejectedEvent, corrected: Mapping[str, Any]) -> None:
    """What a correction changes, field by field."""
    before = found.payload if isinstance(found.payload, dict) else {}
    fields = [name for name in {**before, **corrected} if before.get(name) != corrected.get(name)]
    rows = [(name, _json(before, name), _json(corrected, name)) for name in fields]
    console.table(f"Correction of {found.coordinate}", ("field", "was", "becomes"), rows)


def history(found: Sequence[Decision], output: str) -> None:
    """What was done, one a line."""
    if output != "table":
        _write([_decision_as_dict(decision) for decision in found], output)
        return
    rows = [
        (
            f"{decision.acted_at:%Y-%m-%d %H:%M}",
            decision.coordinate,
            " ".join(filter(None, (decision.decision, decision.outcome))).lower(),
            decision.acted_by,
            _cut(decision.note or "", _SHOWN_VALUE),
        )
        for decision in found
    ]
    console.table("Worked off", ("when, UTC", "topic/partition/offset", "what", "who", "why"), rows)


def _ways_out(found: RejectedEvent) -> None:
    place = shlex.quote(found.coordinate)
    field = next(filter(None, (field_of(reason, found.event_type) for reason in found.reasons)), None)
    change = f"--set {field.name}=..." if field and isinstance(found.payload, dict) else "--file event.json"
    if found.dismissed_at is None:
        _line(f"The contract is wrong, and mended:  caves rejected replay {place}")
    _line(f"The event is wrong:  caves rejected correct {place} {change} --note ...")
    if found.dismissed_at is None:
        _line(f"It is of no value:  caves rejected dismiss {place} --note ...")


def _explained(found: RejectedEvent, reason: str) -> str:
    field = field_of(reason, found.event_type)
    if field is None or not isinstance(found.payload, dict):
        kind = found.payload.get("event_type") if isinstance(found.payload, dict) else None
        about = f" (event_type is {_shown(kind)})" if reason == "UNKNOWN_EVENT_TYPE" else ""
        return f"{meaning(reason)}{about}"
    if field.name not in found.payload:
        return f"{meaning(reason)}; here it is absent"
    return f"{meaning(reason)}; here it is {_shown(found.payload[field.name])}"


def _payload(found: RejectedEvent, *, full: bool) -> None:
    payload = found.payload
    if isinstance(payload, dict):
        text = json.dumps(payload, indent=2, ensure_ascii=False)
    else:
        form, encoding = found.metadata.get("format"), found.metadata.get("encoding")
        _line(f"payload: {'nothing (a tombstone)' if form == 'tombstone' else f'{form}, {encoding}'}")
        text = payload or ""
    shown = text if full else text[:_SHOWN_CHARACTERS]
    _line(visible(shown, keep="\n"))
    if len(shown) < len(text):
        _line(f"... {len(text) - len(shown):,} more characters; --full shows them")


def _sent(found: RejectedEvent) -> str:
    milliseconds = found.metadata.get("timestamp_ms")
    if not isinstance(milliseconds, int) or milliseconds < 0:
        return "at a time unknown"
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000).astimezone():%Y-%m-%d %H:%M:%S%z}"
    except (OverflowError, ValueError, OSError):
        return f"at {milliseconds} ms"


def _key(found: RejectedEvent) -> str:
    return _shown(found.metadata.get("key"))


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False), _SHOWN_VALUE)


def _json(event: Mapping[str, Any], field: str) -> str:
    return _cut(json.dumps(event[field], ensure_ascii=False), _SHOWN_VALUE) if field in event else "(absent)"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _line(text: str, style: str = "") -> None:
    console.out.print(Text(visible(text, keep="\n"), style=style), soft_wrap=True)


def _write(documents: Sequence[Mapping[str, Any]], output: str) -> None:
    """ASCII only: control characters of a payload are escaped, wherever the output goes."""
    if output == "json":
        console.out.file.write(json.dumps(documents, indent=2, default=str) + "\n")
        return
    columns = list(documents[0]) if documents else []
    writer = csv.DictWriter(console.out.file, columns, lineterminator="\n")
    writer.writeheader()
    for document in documents:
        writer.writerow({name: _csv_cell(value) for name, value in document.items()})


def _csv_cell(value: Any) -> str:
    """A spreadsheet runs a cell that begins as a formula: those get a quote before them."""
    if value is None:
        return ""
    text = visible(value) if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _as_dict(event: RejectedEvent) -> dict[str, Any]:
    return {
        "coordinate": event.coordinate,
        "state": event.state,
        "event_type": event.event_type,
        "reasons": event.reasons,
        "rejected_at": f"{event.rejected_at.isoformat()}Z",
        "metadata": event.metadata,
        "payload": event.payload,
    }


def _decision_as_dict(decision: Decision) -> dict[str, Any]:
    return {
        "coordinate": decision.coordinate,
        "decision": decision.decision,
        "outcome": decision.outcome,
        "acted_by": decision.acted_by,
        "acted_at": f"{decision.acted_at.isoformat()}Z",
        "note": decision.note,
        "reasons": decision.reasons,
        "corrected": json.loads(decision.corrected) if decision.corrected else None,
    }
