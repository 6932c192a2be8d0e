"""OPS.CORRECT_REJECTED(COORDINATE, CORRECTED, NOTE): a corrected event takes the place of a rejected one."""

from snowflake.snowpark import Session

from caves_snowpark.dead_letters import correct
from caves_snowpark.loads import Counts


def main(session: Session, coordinate: str, corrected: str, note: str) -> Counts:
    """Stage the JSON text as the event at topic/partition/offset, if it keeps the contract."""
    return correct(session, coordinate, corrected, note)
