"""OPS.REPLAY_REJECTED(FILTER): rejected events that keep today's contract are staged after all."""

from snowflake.snowpark import Session

from caves_snowpark.dead_letters import replay
from caves_snowpark.loads import Counts
from caves_snowpark.rejected_filter import parse_filter


def main(session: Session, filter_: str | None = None) -> Counts:
    """Take back what the filter means (NULL or blank: everything that waits) and is valid today."""
    return replay(session, parse_filter(filter_))
