"""Which rejected events an operator means: a reason, a place on Kafka, a time, or everything.

A filter is one text, so that a procedure that takes it keeps its signature when a filter learns something
new: a procedure with other arguments would stand beside the old one and not take its place.

    NULL or blank                                   every event that waits
    INVALID_QUANTITY                                those with this reason
    sales_events/2/41                               the one at these coordinates
    {"reason": "INVALID_QUANTITY", "partition": 2}  those for which all of it holds
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from snowflake.snowpark import Column
from snowflake.snowpark import functions as F

from caves_snowpark.schemas import TEXT, UTC_TIME

_WHOLE_NUMBERS: Final = ("partition", "from_offset", "to_offset")
_TIMES: Final = ("since", "until")


class FilterRefusedError(Exception):
    """A filter that cannot be understood. Nothing was done: a mistyped filter must not mean everything."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} A filter is a reason code, coordinates as topic/partition/offset, or a JSON object with "
            f"any of: {', '.join(field.name for field in fields(RejectedFilter))}."
        )
        self.what = what


@dataclass(frozen=True)
class RejectedFilter:
    """Every condition that is given must hold. Offsets include both ends; until is the first time beyond."""

    reason: str | None = None
    topic: str | None = None
    partition: int | None = None
    from_offset: int | None = None
    to_offset: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        """Whether it limits anything."""
        return any(value is not None for value in asdict(self).values())

    def __str__(self) -> str:
        """The filter as a procedure takes it; times in UTC."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(given, default=lambda time: f"{time.isoformat()}Z", ensure_ascii=False)


def parse_filter(text: str | None) -> RejectedFilter:
    """The filter that a text spells; FilterRefusedError says what is wrong with it."""
    text = (text or "").strip()
    if text.startswith("{"):
        return _from_json(text)
    if "/" in text:
        return coordinate_filter(text)
    return RejectedFilter(reason=text.upper() or None)


def coordinate_filter(text: str) -> RejectedFilter:
    """The one event at topic/partition/offset."""
    topic, *numbers = text.strip().rsplit("/", 2)
    if not topic or len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise FilterRefusedError(f"{text!r} are no coordinates: they are like sales_events/2/41.")
    partition, offset = map(int, numbers)
    return RejectedFilter(topic=topic, partition=partition, from_offset=offset, to_offset=offset)


def utc_time(text: str) -> datetime:
    """A time with an offset, in UTC and without it; FilterRefusedError when it has none or is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise FilterRefusedError(f"{text!r} is no time with an offset, as 2025-07-01T10:00:00+02:00 is.")
    return time.astimezone(UTC).replace(tzinfo=None)


def matches(chosen: RejectedFilter) -> Column:
    """Whether a row of STAGING.REJECTED_EVENTS is one that the filter means."""
    conditions = [
        # As text the list is ["CODE","CODE"] on every engine, so a quoted code is found whole.
        F.contains(F.col("REASONS").cast(TEXT), F.lit(f'"{chosen.reason}"')) if chosen.reason else None,
        F.col("SOURCE_TOPIC") == F.lit(chosen.topic) if chosen.topic is not None else None,
        F.col("SOURCE_PARTITION") == F.lit(chosen.partition) if chosen.partition is not None else None,
        F.col("SOURCE_OFFSET") >= F.lit(chosen.from_offset) if chosen.from_offset is not None else None,
        F.col("SOURCE_OFFSET") <= F.lit(chosen.to_offset) if chosen.to_offset is not None else None,
        F.col("REJECTED_AT") >= F.lit(chosen.since).cast(UTC_TIME) if chosen.since else None,
        F.col("REJECTED_AT") < F.lit(chosen.until).cast(UTC_TIME) if chosen.until else None,
    ]
    every = F.lit(True)
    for condition in conditions:
        if condition is not None:
            every = every & condition
    return every


def _from_json(text: str) -> RejectedFilter:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise FilterRefusedError(f"The filter is no JSON ({error}).") from error
    unknown = given.keys() - {field.name for field in fields(RejectedFilter)}
    if unknown:
        raise FilterRefusedError(f"The filter has {', '.join(sorted(map(repr, unknown)))}.")
    values = {name: _value(name, value) for name, value in given.items() if value is not None}
    return RejectedFilter(**values)


def _value(name: str, value: Any) -> Any:
    if name in _WHOLE_NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise FilterRefusedError(f"{name} is {value!r}, which is no whole number from 0.")
        return value
    if not isinstance(value, str) or not value.strip():
        raise FilterRefusedError(f"{name} is {value!r}, which is no text.")
    if name in _TIMES:
        return utc_time(value)
    return value.strip().upper() if name == "reason" else value
