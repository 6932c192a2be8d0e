"""ANALYTICS.DAILY_SALES on orders whose answer is worked out by hand. PITFALL 8."""

from datetime import date
from decimal import Decimal

import pytest

from tests.engines.engine import Snowcellar
from tests.events import message, order

DAILY_SALES = """
SELECT ORDER_DATE, ORDER_COUNT, DAILY_REVENUE, AVG_ORDER_VALUE FROM ANALYTICS.DAILY_SALES ORDER BY ORDER_DATE
"""


def test_daily_sales_has_one_row_a_day_with_counts_exact_sums_and_averages(snowcellar: Snowcellar) -> None:
    events = [
        order(
            order_line_id="a", customer_id=1, quantity=1, unit_price=10, event_ts="2025-07-01T10:00:00+02:00"
        ),
        order(
            order_line_id="b",
            customer_id=1,
            quantity=2,
            unit_price="0.05",
            event_ts="2025-07-01T12:00:00+02:00",
        ),
        order(
            order_line_id="c", customer_id=2, quantity=3, unit_price=30, event_ts="2025-07-01T23:30:00+02:00"
        ),
        # 00:30 in Paris, the day before in UTC.
        order(
            order_line_id="d", customer_id=2, quantity=1, unit_price="7.77", event_ts="2025-07-01T22:30:00Z"
        ),
        # A repeat and a correction are no further orders.
        order(
            order_line_id="a", customer_id=1, quantity=1, unit_price=10, event_ts="2025-07-01T10:00:00+02:00"
        ),
        order(
            order_line_id="d", customer_id=2, quantity=2, unit_price="7.77", event_ts="2025-07-01T22:30:01Z"
        ),
    ]
    snowcellar.run([[message(event, offset) for offset, event in enumerate(events)]])
    first, second = snowcellar.session.sql(DAILY_SALES).collect()
    assert tuple(first)[:3] == (date(2025, 7, 1), 3, Decimal("100.10"))
    assert float(first[3]) == pytest.approx(100.10 / 3)
    assert tuple(second)[:3] == (date(2025, 7, 2), 1, Decimal("15.54"))
    assert float(second[3]) == pytest.approx(15.54)


def test_daily_sales_of_an_empty_warehouse_has_no_rows(snowcellar: Snowcellar) -> None:
    snowcellar.run([])
    assert snowcellar.session.sql(DAILY_SALES).collect() == []
