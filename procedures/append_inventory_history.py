"""OPS.APPEND_INVENTORY_HISTORY(): each staged stock adjustment goes to PRODUCTION.INVENTORY_HISTORY, once."""

from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.loads import Counts, merge_versions, report, transaction
from caves_snowpark.production import inserted, latest_adjustments


def main(session: Session) -> Counts:
    """Consume STREAM_STG_INVENTORY_FOR_HISTORY: append new adjustments, replace those that are corrected."""
    changes = session.table(names.STREAM_STG_INVENTORY_FOR_HISTORY)
    with transaction(session):
        read = int(inserted(changes).count())
        merged = merge_versions(
            latest_adjustments(changes),
            names.INVENTORY_HISTORY,
            key="ADJUSTMENT_ID",
            time="ADJUSTMENT_TIMESTAMP",
        )
    return report(session, {"read": read} | merged)
