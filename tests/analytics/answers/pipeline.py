"""What each question of analytics/pipeline must answer: rows and columns in the question's own order.

Questions on a view start from the view's expected rows.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from tests.analytics import view_answers as views
from tests.analytics.figures import Row, groups, median, ratio, round_fraction
from tests.analytics.known_data import Known, Order, paris_day
from tests.analytics.view_answers import revenue


def _issues(known: Known, issue: str) -> list[Row]:
    return sorted((row for row in views.data_quality(known) if row[1] == issue), key=lambda row: row[:3])


def rejection_reasons(known: Known) -> list[Row]:
    count = Counter(reason for each in known.rejected for reason in each.reasons)
    return sorted(count.items(), key=lambda item: (-item[1], item[0]))


def rejected_share_by_day(known: Known) -> list[Row]:
    still_open = {row[0]: row[3] for row in _issues(known, "REJECTED_OPEN")}
    return [(row[0], row[3], still_open[row[0]], row[5]) for row in _issues(known, "REJECTED")]


def repeats_by_day(known: Known) -> list[Row]:
    return [(row[0], row[3], row[5]) for row in _issues(known, "DUPLICATE")]


def emptiest_fields(known: Known) -> list[Row]:
    rows: list[Any] = []
    for name, each in groups(_issues(known, "NULL_FIELD"), lambda row: row[2]).items():
        empty, base = sum(row[3] for row in each), sum(row[4] for row in each)
        rows.append((name, empty, base, ratio(empty, base, 6)))
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def late_events(known: Known) -> list[Row]:
    return [(row[0], row[2], row[3], row[5]) for row in _issues(known, "LATE") if row[3]]


def freshness(known: Known) -> list[Row]:
    """Without the last column, the seconds until now."""
    return sorted(row[:4] for row in views.pipeline_freshness(known))


def sold_but_never_stocked(known: Known) -> list[Row]:
    stocked = {movement.product for movement in known.movements}
    found = groups([o for o in known.orders if o.product not in stocked], lambda order: order.product)
    return [(product, len(found[product]), revenue(found[product])) for product in sorted(found)]


def totals_that_do_not_multiply(known: Known) -> list[Row]:
    def difference(order: Order) -> Decimal:
        return order.total - order.quantity * order.price

    wrong = sorted(
        (o for o in known.orders if difference(o)), key=lambda o: (-abs(difference(o)), o.order_id)
    )
    return [(o.order_id, o.quantity, o.price, o.discount, o.total, difference(o)) for o in wrong]


def corrected_orders(known: Known) -> list[Row]:
    rows = []
    for key, versions in groups(known.staged_orders, lambda order: order.order_id).items():
        totals = [order.total for order in versions]
        if len(versions) > 1:
            rows.append((key, len(versions), min(totals), max(totals)))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def delay_of_orders(known: Known) -> list[Row]:
    rows = []
    for day, orders in groups(known.staged_orders, lambda order: paris_day(order.staged)).items():
        delays = [int((order.staged - order.at).total_seconds()) for order in orders]
        rows.append((day, len(orders), round_fraction(median(delays), 1), max(delays)))
    return sorted(rows)
