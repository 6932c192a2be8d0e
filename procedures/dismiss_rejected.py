"""OPS.DISMISS_REJECTED(FILTER, NOTE): an operator decides that rejected events are of no value."""

from snowflake.snowpark import Session

from caves_snowpark.dead_letters import dismiss
from caves_snowpark.loads import Counts
from caves_snowpark.rejected_filter import FilterRefusedError, parse_filter


def main(session: Session, filter_: str | None, note: str) -> Counts:
    """Dismiss what the filter means; everything at once is refused."""
    chosen = parse_filter(filter_)
    if not chosen:
        raise FilterRefusedError("An empty filter would dismiss everything.")
    return dismiss(session, chosen, note)
