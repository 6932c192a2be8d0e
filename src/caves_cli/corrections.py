"""The corrected event that an operator means: the rejected one with some fields changed, or a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caves_cli.errors import CavesError
from caves_cli.rejections import RejectedEvent
from caves_snowpark.event_contract import FIELDS, Text


class CorrectionUnclear(CavesError):
    def __init__(self, why: str) -> None:
        super().__init__(f"{why}\nNothing was changed.")


def corrected(event: RejectedEvent, changes: Sequence[str], unset: Sequence[str], file: Path | None) -> str:
    """The JSON text of the whole corrected event."""
    if file is not None:
        if changes or unset:
            raise CorrectionUnclear("Give --file or --set and --unset, not both.")
        return _read(file)
    if not changes and not unset:
        raise CorrectionUnclear("Nothing to correct: give --set FIELD=VALUE, --unset FIELD or --file PATH.")
    if not isinstance(event.payload, dict):
        raise CorrectionUnclear(
            f"{event.coordinate} holds no JSON object, so single fields cannot be set: give --file PATH."
        )
    changed = {**event.payload, **dict(_change(change) for change in changes)}
    for field in unset:
        if field not in changed:
            raise CorrectionUnclear(f"{event.coordinate} has no field {field!r} to leave out.")
        del changed[field]
    return json.dumps(changed, ensure_ascii=False)


def _change(change: str) -> tuple[str, Any]:
    field, separator, value = change.partition("=")
    if not separator or not field.strip():
        raise CorrectionUnclear(f"{change!r} is not FIELD=VALUE, as quantity=3 is.")
    return field.strip(), _value(field.strip(), value)


def _value(field: str, text: str) -> Any:
    """A field of text takes the text as it is; any other takes JSON where it is JSON: 3, 12.50, true, "3"."""
    if field == "event_type" or any(each.name == field and isinstance(each.kind, Text) for each in FIELDS):
        return text
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise CorrectionUnclear(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise CorrectionUnclear(f"{file} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CorrectionUnclear(f"{file} holds no JSON object.")
    return text
