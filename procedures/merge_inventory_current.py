"""OPS.MERGE_INVENTORY_CURRENT(): new stock adjustments change the stock of a product at a location."""

from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.loads import Counts, merge_stock, report
from caves_snowpark.memory import adjustment_versions
from caves_snowpark.production import stock_by_location


def main(session: Session) -> Counts:
    """Consume STREAM_STG_INVENTORY_FOR_CURRENT in one MERGE.

    One statement and no explicit transaction, on purpose. A statement sees the stream and the staging table
    at the same moment; inside a transaction the stream would stay at its start while the table moves on,
    and a version staged in between would be taken for one that was counted before.
    """
    changes = session.table(names.STREAM_STG_INVENTORY_FOR_CURRENT)
    return report(session, merge_stock(stock_by_location(changes, adjustment_versions(session))))
