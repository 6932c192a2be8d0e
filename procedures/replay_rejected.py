"""OPS.REPLAY_REJECTED(REASON): rejected events that keep today's contract are staged after all."""

from datetime import UTC, datetime

from snowflake.snowpark import Column, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.loads import Counts, UnaccountedEventsError, insert, transaction
from caves_snowpark.schemas import TEXT, UTC_TIME
from caves_snowpark.staging import (
    accepted_events,
    content_hash,
    delivery,
    duplicate_events,
    new_adjustments,
    new_orders,
)


def main(session: Session, reason: str | None = None) -> Counts:
    """Take back what was rejected for a reason (NULL or blank: any) and is valid today, and nothing else.

    The events are marked first and then staged by their mark: the UPDATE locks the table, so that two
    replays at once cannot stage an event twice.
    """
    rejected = session.table(names.REJECTED_EVENTS)
    waiting = rejected.filter(_is_waiting(reason))
    valid = accepted_events(waiting).select(delivery(F.col("CONTENT_HASH")).alias("DELIVERY"))
    is_valid = delivery(content_hash(F.col("EVENT_CONTENT"))).in_(valid)
    replayed_at = F.lit(datetime.now(UTC).replace(tzinfo=None)).cast(UTC_TIME)
    orders = session.table(names.STG_ORDERS)
    adjustments = session.table(names.STG_INVENTORY_ADJUSTMENTS)
    with transaction(session):
        read = int(waiting.count())
        marked = rejected.update({"REPLAYED_AT": replayed_at}, _is_waiting(reason) & is_valid)
        replayed = int(marked.rows_updated)
        events = rejected.filter(F.col("REPLAYED_AT") == replayed_at)
        written = {
            "duplicates": insert(duplicate_events(events, orders, adjustments), names.DUPLICATE_EVENTS),
            "orders": insert(new_orders(events, orders), names.STG_ORDERS),
            "adjustments": insert(new_adjustments(events, adjustments), names.STG_INVENTORY_ADJUSTMENTS),
        }
        if sum(written.values()) != replayed:
            raise UnaccountedEventsError(replayed, sum(written.values()))
    return {"read": read, "replayed": replayed, **written, "rejected": read - replayed}


def _is_waiting(reason: str | None) -> Column:
    waiting = F.col("REPLAYED_AT").is_null()
    code = (reason or "").strip().upper()
    if not code:
        return waiting
    # As text the list is ["CODE","CODE"] on every engine, so a quoted code is found whole.
    return waiting & F.contains(F.col("REASONS").cast(TEXT), F.lit(f'"{code}"'))
