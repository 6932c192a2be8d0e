"""Working rejected events: taken back as they are or corrected, or dismissed, and each leaves a trace.

REJECTED_EVENTS keeps what was rejected as it came, with its reasons. An event leaves the waiting ones when
REPLAYED_AT or DISMISSED_AT is set; in the same transaction the event is staged and REPLAY_LOG says who did it
and why. The UPDATE that sets the time comes before anything is staged and locks the table, so that of two
operators at once only one takes an event.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

import json
from datetime import UTC, datetime
from typing import Any, Final

from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.erasure import known_erasures
from caves_snowpark.loads import Counts, UnaccountedEventsError, insert, insert_each, transaction
from caves_snowpark.memory import known_adjustments, known_orders
from caves_snowpark.rejected_filter import RejectedFilter, coordinate_filter, matches
from caves_snowpark.schemas import TEXT, UTC_TIME, VARIANT
from caves_snowpark.staging import (
    PLACES,
    accepted_events,
    classified_events,
    content_hash,
    delivery,
    placed_events,
)

REPLAYED: Final = "REPLAYED"
CORRECTED: Final = "CORRECTED"
DISMISSED: Final = "DISMISSED"

STAGED: Final = "STAGED"
DUPLICATE: Final = "DUPLICATE"

_STAGED: Final = {
    "duplicates": names.DUPLICATE_EVENTS,
    "orders": names.STG_ORDERS,
    "adjustments": names.STG_INVENTORY_ADJUSTMENTS,
}


class NotWaitingError(Exception):
    """There is no rejected event at these coordinates, or it was taken back already."""

    def __init__(self, coordinate: str, replayed_at: datetime | None) -> None:
        happened = f"was taken back at {replayed_at:%Y-%m-%d %H:%M:%S} UTC" if replayed_at else "is not there"
        super().__init__(f"The rejected event {coordinate} {happened}, so nothing was done.")


class CorrectionRefusedError(Exception):
    """The corrected event breaks the contract too, or is no event at all. Nothing was changed."""

    def __init__(self, coordinate: str, why: str) -> None:
        super().__init__(f"The correction of {coordinate} is refused, and nothing was changed: {why}.")


class NoteMissingError(Exception):
    """A decision about an event without the reason for it."""

    def __init__(self) -> None:
        super().__init__("The note is empty. Say why: it is what the audit trail will show.")


def is_waiting() -> Column:
    """Whether a rejected event was neither taken back nor dismissed."""
    return F.col("REPLAYED_AT").is_null() & F.col("DISMISSED_AT").is_null()


def replay(session: Session, chosen: RejectedFilter) -> Counts:
    """Take back what the filter means and keeps today's contract, and nothing else."""
    rejected = session.table(names.REJECTED_EVENTS)
    waiting = is_waiting() & matches(chosen)
    valid = accepted_events(rejected.filter(waiting)).select(
        delivery(F.col("CONTENT_HASH")).alias("DELIVERY")
    )
    is_valid = delivery(content_hash(F.col("EVENT_CONTENT"), F.col("EVENT_METADATA"))).in_(valid)
    acted_at = _now()
    with transaction(session):
        _wait_for_distributor(session)
        marked = rejected.update({"REPLAYED_AT": acted_at}, waiting & is_valid)
        taken = rejected.filter(F.col("REPLAYED_AT") == acted_at)
        counts = _stage(session, taken, int(marked.rows_updated))
        _log(taken, counts["replayed"], REPLAYED, acted_at, outcome=_outcome(session))
        left = int(rejected.filter(waiting).count())
    return {"read": counts["replayed"] + left, **counts, "rejected": left}


def correct(session: Session, coordinate: str, corrected: str, note: str) -> Counts:
    """Stage a corrected event in place of the rejected one at these coordinates.

    `corrected` is the JSON text of the whole event. It is text and no VARIANT, which a Python handler gets
    with its decimals turned into something else. An event that was dismissed can still be corrected.
    """
    _require_note(note)
    content = F.parse_json(F.lit(_event_text(coordinate, corrected)))
    rejected = session.table(names.REJECTED_EVENTS)
    there = matches(coordinate_filter(coordinate))
    acted_at = _now()
    with transaction(session):
        _wait_for_distributor(session)
        _require_valid(rejected.filter(there & F.col("REPLAYED_AT").is_null()), content, coordinate)
        marked = rejected.update({"REPLAYED_AT": acted_at}, there & F.col("REPLAYED_AT").is_null())
        if int(marked.rows_updated) != 1:
            raise NotWaitingError(coordinate, _replayed_at(rejected.filter(there)))
        taken = rejected.filter(there & (F.col("REPLAYED_AT") == acted_at))
        erasures = known_erasures(session)
        mended, kept = _with_content(taken, content), content
        if erasures:
            mended, kept = erasures.nameless(mended), erasures.content_kept(content)
        counts = _stage(session, mended, 1)
        _log(taken, 1, CORRECTED, acted_at, outcome=_outcome(session), corrected=kept, note=note)
    return counts


def dismiss(session: Session, chosen: RejectedFilter, note: str) -> Counts:
    """Decide that what the filter means is of no value: it stays as it is, and no replay takes it back."""
    _require_note(note)
    rejected = session.table(names.REJECTED_EVENTS)
    acted_at = _now()
    with transaction(session):
        marked = rejected.update({"DISMISSED_AT": acted_at}, is_waiting() & matches(chosen))
        dismissed = int(marked.rows_updated)
        taken = rejected.filter(F.col("DISMISSED_AT") == acted_at)
        _log(taken, dismissed, DISMISSED, acted_at, outcome=F.lit(None).cast(TEXT), note=note)
    return {"dismissed": dismissed}


def _wait_for_distributor(session: Session) -> None:
    """Hold the raw stream, without consuming it, so that DISTRIBUTE_RAW_EVENTS stages nothing meanwhile.

    Neither would see what the other stages before it commits, and a redelivery of a rejected event could be
    staged by both. A transaction locks a stream: https://docs.snowflake.com/en/user-guide/streams-intro
    """
    session.table(names.STREAM_RAW_EVENTS).count()


def _stage(session: Session, events: DataFrame, replayed: int) -> Counts:
    rows = placed_events(events, known_orders(session), known_adjustments(session))
    placed = insert_each(rows, {table: PLACES[table] for table in _STAGED.values()})
    if sum(placed.values()) != replayed:
        raise UnaccountedEventsError(replayed, sum(placed.values()))
    return {"replayed": replayed} | {count: placed[table] for count, table in _STAGED.items()}


def _log(
    taken: DataFrame,
    count: int,
    decision: str,
    acted_at: Column,
    *,
    outcome: Column,
    corrected: Column | None = None,
    note: str | None = None,
) -> None:
    """One row of REPLAY_LOG for each event taken."""
    nothing = F.lit(None)
    rows = taken.select(
        F.lit(decision).alias("DECISION"),
        outcome.alias("OUTCOME"),
        "SOURCE_TOPIC",
        "SOURCE_PARTITION",
        "SOURCE_OFFSET",
        "REASONS",
        (nothing.cast(VARIANT) if corrected is None else corrected).alias("CORRECTED_CONTENT"),
        (nothing.cast(TEXT) if note is None else F.lit(note.strip())).alias("NOTE"),
        F.current_user().alias("ACTED_BY"),
        acted_at.alias("ACTED_AT"),
    )
    logged = insert(rows, names.REPLAY_LOG)
    if logged != count:
        raise UnaccountedEventsError(count, logged)


def _outcome(session: Session) -> Column:
    """What became of a taken event, told by where its coordinates now stand."""
    place = delivery(F.lit(""))
    repeats = session.table(names.DUPLICATE_EVENTS).select(place.alias("PLACE"))
    return F.iff(place.in_(repeats), F.lit(DUPLICATE), F.lit(STAGED))


def _with_content(events: DataFrame, content: Column) -> DataFrame:
    """The events with another content, in their places; that the warehouse refused the old one is over."""
    metadata = F.col("EVENT_METADATA")
    place = [(F.lit(key), metadata[key]) for key in ("topic", "generation", "partition", "offset")]
    return events.select(
        "EVENT_TYPE",
        content.alias("EVENT_CONTENT"),
        F.object_construct(*(part for pair in place for part in pair)).alias("EVENT_METADATA"),
        "INGESTION_TIME",
    )


def _require_valid(original: DataFrame, content: Column, coordinate: str) -> None:
    """Refuse a correction that the contract would reject, with every reason; or that has no event to mend."""
    judged = classified_events(_with_content(original, content))
    found = judged.select(F.col("REASONS").cast(TEXT).alias("REASONS")).collect()
    if not found:
        places = original.session.table(names.REJECTED_EVENTS).filter(matches(coordinate_filter(coordinate)))
        raise NotWaitingError(coordinate, _replayed_at(places))
    reasons = json.loads(found[0][0] or "[]")
    if reasons:
        raise CorrectionRefusedError(coordinate, ", ".join(reasons))


def _replayed_at(places: DataFrame) -> datetime | None:
    found = places.select("REPLAYED_AT").collect()
    return found[0][0] if found else None


def _event_text(coordinate: str, corrected: str | None) -> str:
    """The text as it is, if it is one JSON object with nothing in it that parsers read in two ways."""
    try:
        event = json.loads(corrected or "", parse_constant=_refuse_constant, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise CorrectionRefusedError(coordinate, f"it is not JSON ({error})") from error
    if not isinstance(event, dict):
        raise CorrectionRefusedError(coordinate, "it is no JSON object")
    return corrected or ""


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    event = dict(pairs)
    if len(event) != len(pairs):
        raise ValueError("a key is there twice")
    return event


def _require_note(note: str | None) -> None:
    if not (note or "").strip():
        raise NoteMissingError


def _now() -> Column:
    return F.lit(datetime.now(UTC).replace(tzinfo=None)).cast(UTC_TIME)
