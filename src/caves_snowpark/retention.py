"""How many days each layer is kept: what OPS.RETENTION says, and what a caller says in its place."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from snowflake.snowpark import Session

from caves_snowpark import names

# The layers that an event is looked up in when it comes again.
_RECOGNISING: Final = ("raw", "staging", "orders")


class RetentionRefusedError(Exception):
    """A retention that is not understood, or under which an event could count twice. Nothing was purged."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} Nothing was purged. A retention is a JSON object of days, such as"
            f' {{"raw": 30, "staging": 90, "logs": null}}, with any of: {", ".join(_LAYERS)};'
            " null keeps for ever, and a layer that is not named is kept as OPS.RETENTION says."
        )


@dataclass(frozen=True)
class Retention:
    """Days by layer; None keeps for ever. Of `kafka` it is known, not decided, how long it keeps."""

    raw: int | None = None
    staging: int | None = None
    orders: int | None = None
    logs: int | None = None
    files: int | None = None
    kafka: int | None = None


_LAYERS: Final = tuple(field.name for field in fields(Retention))


def retention(session: Session, text: str | None) -> Retention:
    """What OPS.RETENTION says, with the days that the text names in their place."""
    stored = session.table(names.RETENTION).select("LAYER", "KEPT_DAYS").collect()
    days = {str(row[0]).lower(): None if row[1] is None else int(row[1]) for row in stored}
    if set(days) != set(_LAYERS):
        raise RetentionRefusedError("OPS.RETENTION has not one row for each layer: run `caves deploy`.")
    return _checked(Retention(**(days | _named(text))))


def _named(text: str | None) -> dict[str, int | None]:
    if not (text or "").strip():
        return {}
    try:
        given = json.loads(text or "")
    except ValueError as error:
        raise RetentionRefusedError(f"The retention is no JSON ({error}).") from error
    if not isinstance(given, dict):
        raise RetentionRefusedError(f"The retention is {text}, which is no JSON object.")
    named = {str(layer).lower(): days for layer, days in given.items()}
    unknown = sorted(named.keys() - set(_LAYERS))
    if unknown:
        raise RetentionRefusedError(f"There is no layer {', '.join(unknown)}.")
    return {layer: _days(layer, days) for layer, days in named.items()}


def _days(layer: str, days: Any) -> int | None:
    if days is None:
        return None
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise RetentionRefusedError(f"{layer} is {days!r}, which is no number of days from 1.")
    return days


def _checked(asked: Retention) -> Retention:
    """Refuse to forget an event while Kafka can still deliver it again."""
    for layer in _RECOGNISING:
        days = asdict(asked)[layer]
        if days is None:
            continue
        if asked.kafka is None:
            raise RetentionRefusedError(
                f"{layer} would be kept for {days} days and Kafka for ever: any event could come"
                " again unknown."
            )
        if days < asked.kafka:
            raise RetentionRefusedError(
                f"{layer} would be kept for {days} days and Kafka for {asked.kafka}: an event that Kafka"
                " still holds could come again unknown."
            )
    return asked
