"""OPS.MERGE_ORDERS(): the latest version of each staged order goes to PRODUCTION.ORDERS."""

from snowflake.snowpark import DataFrame, Session

from caves_snowpark import names
from caves_snowpark.erasure import count_and_erasures
from caves_snowpark.loads import Counts, merge_versions, report, transaction
from caves_snowpark.production import inserted, latest_orders


def main(session: Session) -> Counts:
    """Consume STREAM_STG_ORDERS: insert new orders, replace those that a later version corrects."""
    changes: DataFrame = session.table(names.STREAM_STG_ORDERS)
    with transaction(session):
        read, erasures = count_and_erasures(inserted(changes))
        if erasures:
            changes = erasures.nameless_orders(changes)
        merged = merge_versions(latest_orders(changes), names.ORDERS, key="ORDER_ID", time="ORDER_TIMESTAMP")
    return report(session, {"read": read} | merged)
