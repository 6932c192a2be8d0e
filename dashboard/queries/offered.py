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
    days = [*_days(orders, "ORDER_DATE"), *_days(history, "ADJUSTMENT_DATE")]
    if not days:
        return None
    first, last = min(days), max(min(max(days), today), min(days))
    sold = orders.filter(F.col("ORDER_DATE") == F.lit(last))
    ((last_order,),) = sold.agg(F.max(paris("ORDER_TIMESTAMP"))).collect()
    return Choices(
        first,
        last,
        _values("PRODUCT_CATEGORY", orders, history),
        _values("SALES_CHANNEL", orders),
        _values("WAREHOUSE_LOCATION", session.table(names.INVENTORY_CURRENT)),
        last_order,
    )


def _days(table: DataFrame, column: str) -> list[date]:
    """The first day and the last, where there is any."""
    (found,) = table.agg(F.min(column), F.max(column)).collect()
    return [day for day in found if day is not None]


def _values(column: str, *tables: DataFrame) -> tuple[str, ...]:
    # Grouped, each table by itself: for `distinct` and `union` Snowpark asks for the columns first.
    found: set[str] = set()
    for table in tables:
        lines = (
            table.filter(F.col(column).is_not_null()).group_by(column).agg(F.count(F.lit(1)).alias("LINES"))
        )
        found |= {str(line[0]) for line in lines.sort(column).limit(MOST_CHOICES).collect()}
    return tuple(sorted(found)[:MOST_CHOICES])
