"""What the sidebar offers: the days that have data, and the values of each list."""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from datetime import date
from typing import Final

from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from dashboard.filters import Choices
from dashboard.queries.shared import MOST_CHOICES, paris

# A warehouse without data has no day to end a period on.
NO_CHOICES: Final = Choices(date(2000, 1, 1), date(2000, 1, 1))


def choices(session: Session, today: date) -> Choices | None:
    """The days that have orders or movements and the values of each list; None where there are neither.

    An event from the future (a till whose clock is wrong) does not move the end past today.
    """
    orders, history = session.table(names.ORDERS), session.table(names.INVENTORY_HISTORY)
    days = orders.select(F.col("ORDER_DATE").alias("DAY")).union_all(
        history.select(F.col("ADJUSTMENT_DATE").alias("DAY"))
    )
    (row,) = days.agg(F.min("DAY"), F.max("DAY")).collect()
    if row[0] is None:
        return None
    last = max(min(row[1], today), row[0])
    sold = orders.filter(F.col("ORDER_DATE") == F.lit(last))
    ((last_order,),) = sold.agg(F.max(paris("ORDER_TIMESTAMP"))).collect()
    return Choices(
        row[0],
        last,
        _values(orders, "PRODUCT_CATEGORY", history),
        _values(orders, "SALES_CHANNEL"),
        _values(session.table(names.INVENTORY_CURRENT), "WAREHOUSE_LOCATION"),
        last_order,
    )


def _values(table: DataFrame, column: str, *others: DataFrame) -> tuple[str, ...]:
    found = table.select(column)
    for other in others:
        found = found.union_all(other.select(column))
    lines = found.filter(F.col(column).is_not_null()).distinct().sort(column).limit(MOST_CHOICES).collect()
    return tuple(str(line[0]) for line in lines)
