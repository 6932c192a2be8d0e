"""OPS.ERASE_CUSTOMER(CUSTOMER_ID, PREVIEW): nothing that tells of a customer stays or comes back."""

from snowflake.snowpark import Session

from caves_snowpark.erase import erase
from caves_snowpark.loads import Counts


def main(session: Session, customer_id: int, preview: bool = False) -> Counts:
    """Make a customer nameless everywhere, or count the rows that it would change."""
    return erase(session, int(customer_id), preview=preview)
