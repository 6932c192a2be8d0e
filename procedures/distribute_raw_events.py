"""OPS.DISTRIBUTE_RAW_EVENTS(): every new raw event goes to one table of STAGING."""

from typing import Final

from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.erase import scrub_late_events
from caves_snowpark.erasure import count_and_erasures
from caves_snowpark.loads import Counts, UnaccountedEventsError, insert_each, report, transaction
from caves_snowpark.memory import known_adjustments, known_orders
from caves_snowpark.production import inserted
from caves_snowpark.staging import PLACES, placed_events

_COUNTS: Final = {
    "duplicates": names.DUPLICATE_EVENTS,
    "orders": names.STG_ORDERS,
    "adjustments": names.STG_INVENTORY_ADJUSTMENTS,
    "rejected": names.REJECTED_EVENTS,
}


def main(session: Session) -> Counts:
    """Empty STREAM_RAW_EVENTS into the four tables of STAGING, all or nothing."""
    events = inserted(session.table(names.STREAM_RAW_EVENTS))
    orders, adjustments = known_orders(session), known_adjustments(session)
    with transaction(session):
        read, erasures = count_and_erasures(events)
        if erasures:
            scrub_late_events(erasures, events)
            events = erasures.nameless(events)
        placed = insert_each(placed_events(events, orders, adjustments), PLACES)
        written = {count: placed[table] for count, table in _COUNTS.items()}
        if sum(written.values()) != read:
            raise UnaccountedEventsError(read, sum(written.values()))
    return report(session, {"read": read} | written)
