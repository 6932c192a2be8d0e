"""Rejected events and what was done with them, read from the warehouse and worked by its procedures."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from caves_cli.errors import CavesError
from caves_snowpark import names
from caves_snowpark.event_contract import EVENT_TYPES, FIELDS, REASONS, Field
from caves_snowpark.rejected_filter import RejectedFilter

# The procedures' own refusals, whose sentence stands in the last line of a Python traceback.
_REFUSALS: Final = re.compile(r"(?:NotWaiting|CorrectionRefused|FilterRefused|NoteMissing)Error: (.+)")
# The connector cancels a statement after the connection's network timeout, unless it is told otherwise, and a
# replay of a bad night takes longer. It is one transaction: what is cancelled has changed nothing.
_LONGEST_CALL_SECONDS: Final = 3600
_WAITING: Final = "REPLAYED_AT IS NULL AND DISMISSED_AT IS NULL"
_EVENTS: Final = f"""
SELECT
    SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, EVENT_TYPE, REASONS::VARCHAR, REJECTED_AT, INGESTION_TIME,
    REPLAYED_AT, DISMISSED_AT, EVENT_METADATA::VARCHAR, EVENT_CONTENT::VARCHAR
FROM {names.REJECTED_EVENTS}
"""  # noqa: S608 - our name
_HISTORY: Final = f"""
SELECT
    DECISION, OUTCOME, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, REASONS::VARCHAR,
    CORRECTED_CONTENT::VARCHAR, NOTE, ACTED_BY, ACTED_AT
FROM {names.REPLAY_LOG}
"""  # noqa: S608 - our name


class NoSuchRejectedEvent(CavesError):
    def __init__(self, coordinate: str) -> None:
        super().__init__(
            f"No rejected event is at {coordinate}. `caves rejected list` shows those that wait,"
            " with --all those that do not too."
        )


class Refused(CavesError):
    """The warehouse's procedure said no, in its own sentence."""


@dataclass(frozen=True)
class RejectedEvent:
    """One row of STAGING.REJECTED_EVENTS; times are UTC."""

    topic: str | None
    partition: int | None
    offset: int | None
    event_type: str | None
    reasons: list[str]
    rejected_at: datetime
    ingested_at: datetime | None
    replayed_at: datetime | None
    dismissed_at: datetime | None
    metadata: dict[str, Any]
    # A JSON object when EVENT_METADATA says so, else the payload as text, base64 or nothing.
    content: str | None

    @property
    def coordinate(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def state(self) -> str:
        if self.replayed_at is not None:
            return "taken back"
        return "waiting" if self.dismissed_at is None else "dismissed"

    @property
    def payload(self) -> Any:
        """The event as an object, if it is one."""
        if self.metadata.get("format") != "json" or self.content is None:
            return self.content
        try:
            return json.loads(self.content)
        except ValueError:
            return self.content


@dataclass(frozen=True)
class Decision:
    """One row of STAGING.REPLAY_LOG."""

    decision: str
    outcome: str | None
    topic: str | None
    partition: int | None
    offset: int | None
    reasons: list[str]
    corrected: str | None
    note: str | None
    acted_by: str
    acted_at: datetime

    @property
    def coordinate(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def events(
    connection: SnowflakeConnection, chosen: RejectedFilter, limit: int, *, settled_too: bool = False
) -> list[RejectedEvent]:
    """The latest rejected events that the filter means, newest first."""
    where, binds = _where(chosen, () if settled_too else (_WAITING,))
    order = "ORDER BY REJECTED_AT DESC, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET DESC LIMIT %s"
    return [_event(row) for row in _rows(connection, f"{_EVENTS} {where} {order}", [*binds, limit])]


def event(connection: SnowflakeConnection, coordinate: str, chosen: RejectedFilter) -> RejectedEvent:
    """The one at these coordinates."""
    found = events(connection, chosen, 1, settled_too=True)
    if not found:
        raise NoSuchRejectedEvent(coordinate)
    return found[0]


def waiting_by_reasons(connection: SnowflakeConnection, chosen: RejectedFilter) -> dict[tuple[str, ...], int]:
    """How many events wait, of those that the filter means, by all the reasons that they have."""
    where, binds = _where(chosen, (_WAITING,))
    statement = (
        f"SELECT REASONS::VARCHAR, COUNT(*) FROM {names.REJECTED_EVENTS} {where}"  # noqa: S608 - our name
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return {tuple(_list(reasons)): int(count) for reasons, count in _rows(connection, statement, binds)}


def history(connection: SnowflakeConnection, chosen: RejectedFilter, limit: int) -> list[Decision]:
    """What was done with rejected events, newest first."""
    where, binds = _where(chosen, (), time="ACTED_AT")
    statement = f"{_HISTORY} {where} ORDER BY ACTED_AT DESC, SOURCE_PARTITION, SOURCE_OFFSET LIMIT %s"
    return [
        Decision(row[0], row[1], row[2], _whole(row[3]), _whole(row[4]), _list(row[5]), *row[6:])
        for row in _rows(connection, statement, [*binds, limit])
    ]


def replay(connection: SnowflakeConnection, chosen: RejectedFilter) -> dict[str, int]:
    return _call(connection, f"CALL {names.REPLAY_REJECTED}(%s)", str(chosen))


def correct(connection: SnowflakeConnection, coordinate: str, corrected: str, note: str) -> dict[str, int]:
    return _call(connection, f"CALL {names.CORRECT_REJECTED}(%s, %s, %s)", coordinate, corrected, note)


def dismiss(connection: SnowflakeConnection, chosen: RejectedFilter, note: str) -> dict[str, int]:
    return _call(connection, f"CALL {names.DISMISS_REJECTED}(%s, %s)", str(chosen), note)


def meaning(reason: str) -> str:
    """What a reason code says, in words."""
    return REASONS.get(reason, "a reason that today's contract does not have")


def field_of(reason: str, event_type: str | None = None) -> Field | None:
    """The field that a reason code speaks of, if it speaks of one; of this type of event, if it is known."""
    types = [kind for kind in EVENT_TYPES if kind.name == event_type]
    fields = types[0].fields if types else FIELDS
    return next((field for field in fields if reason in (field.missing, field.invalid)), None)


def _call(connection: SnowflakeConnection, statement: str, *binds: str) -> dict[str, int]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, binds, timeout=_LONGEST_CALL_SECONDS)
            [[answer]] = cursor.fetchall()
    except ProgrammingError as error:
        refusals = _REFUSALS.findall(str(error.msg or error))
        if not refusals:
            raise
        raise Refused(refusals[-1]) from error
    counts: dict[str, int] = json.loads(answer)
    return counts


def _where(
    chosen: RejectedFilter, conditions: Sequence[str], time: str = "REJECTED_AT"
) -> tuple[str, list[object]]:
    """A WHERE clause and its values, the same as `rejected_filter.matches`; nothing given is in its text."""
    limits: list[tuple[str, object]] = [
        ("CONTAINS(REASONS::VARCHAR, %s)", chosen.reason and f'"{chosen.reason}"'),
        ("SOURCE_TOPIC = %s", chosen.topic),
        ("SOURCE_PARTITION = %s", chosen.partition),
        ("SOURCE_OFFSET >= %s", chosen.from_offset),
        ("SOURCE_OFFSET <= %s", chosen.to_offset),
        (f"{time} >= %s::TIMESTAMP_NTZ", chosen.since and chosen.since.isoformat(" ")),
        (f"{time} < %s::TIMESTAMP_NTZ", chosen.until and chosen.until.isoformat(" ")),
    ]
    given = [(text, value) for text, value in limits if value is not None]
    clause = " AND ".join([*conditions, *(text for text, _ in given)])
    return (f"WHERE {clause}" if clause else ""), [value for _, value in given]


def _rows(connection: SnowflakeConnection, statement: str, binds: Sequence[object]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(binds))
        return list(cursor.fetchall())


def _event(row: Sequence[Any]) -> RejectedEvent:
    (
        topic,
        partition,
        offset,
        event_type,
        reasons,
        rejected,
        ingested,
        replayed,
        dismissed,
        metadata,
        content,
    ) = row
    return RejectedEvent(
        topic,
        _whole(partition),
        _whole(offset),
        event_type,
        _list(reasons),
        rejected,
        ingested,
        replayed,
        dismissed,
        json.loads(metadata or "{}"),
        content,
    )


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def _list(text: str | None) -> list[str]:
    return [str(each) for each in json.loads(text or "[]")]
