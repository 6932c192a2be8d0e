"""OPS.MERGE_ORDERS(): the latest version of each staged order goes to PRODUCTION.ORDERS."""

from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.loads import Counts, merge_versions, report, transaction
from caves_snowpark.production import inserted, latest_orders


def main(session: Session) -> Counts:
    """Consume STREAM_STG_ORDERS: insert new orders, replace those that a later version corrects."""
    changes = session.table(names.STREAM_STG_ORDERS)
    with transaction(session):
        read = int(inserted(changes).count())
        merged = merge_versions(latest_orders(changes), names.ORDERS, key="ORDER_ID", time="ORDER_TIMESTAMP")
    return report(session, {"read": read} | merged)
