"""OPS.DISTRIBUTE_RAW_EVENTS(): every new raw event goes to one table of STAGING."""

from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.erase import scrub_late_events
from caves_snowpark.erasure import count_and_erasures
from caves_snowpark.loads import Counts, UnaccountedEventsError, insert, report, transaction
from caves_snowpark.memory import known_adjustments, known_orders
from caves_snowpark.production import inserted
from caves_snowpark.staging import duplicate_events, new_adjustments, new_orders, rejected_events


def main(session: Session) -> Counts:
    """Empty STREAM_RAW_EVENTS into the four tables of STAGING, all or nothing."""
    events = inserted(session.table(names.STREAM_RAW_EVENTS))
    orders, adjustments = known_orders(session), known_adjustments(session)
    with transaction(session):
        read, erasures = count_and_erasures(events)
        if erasures:
            scrub_late_events(erasures, events)
            events = erasures.nameless(events)
        written = {
            "duplicates": insert(duplicate_events(events, orders, adjustments), names.DUPLICATE_EVENTS),
            "orders": insert(new_orders(events, orders), names.STG_ORDERS),
            "adjustments": insert(new_adjustments(events, adjustments), names.STG_INVENTORY_ADJUSTMENTS),
            "rejected": insert(rejected_events(events), names.REJECTED_EVENTS),
        }
        if sum(written.values()) != read:
            raise UnaccountedEventsError(read, sum(written.values()))
    return report(session, {"read": read} | written)
