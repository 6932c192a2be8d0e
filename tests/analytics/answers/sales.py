"""What each question of analytics/sales must answer: rows and columns in the question's own order.

Questions on a view start from the view's expected rows.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from tests.analytics.figures import NONE, ZERO, Row, groups, monday, ratio
from tests.analytics.known_data import Known
from tests.analytics.view_answers import bottles, revenue


def days(known: Known) -> dict[date, Decimal]:
    """Revenue by day, in order."""
    by_day = groups(known.orders, lambda order: order.day)
    return {day: revenue(by_day[day]) for day in sorted(by_day)}


def revenue_by_month(known: Known) -> list[Row]:
    months = groups(known.orders, lambda order: order.month)
    return [(key, len(months[key]), bottles(months[key]), revenue(months[key])) for key in sorted(months)]


def weekly_change(known: Known) -> list[Row]:
    weeks: dict[date, Decimal] = {}
    for day, amount in days(known).items():
        weeks[monday(day)] = weeks.get(monday(day), ZERO) + amount
    rows: list[Row] = []
    before = None
    for week, amount in weeks.items():
        change = None if before is None else amount - before
        rows.append((week, amount, change, None if before is None else ratio(amount - before, before, 4)))
        before = amount
    return rows


def best_days(known: Known) -> list[Row]:
    count = Counter(order.day for order in known.orders)
    ranked = sorted(days(known).items(), key=lambda item: (-item[1], item[0]))
    return [(day, count[day], amount) for day, amount in ranked[:10]]


def revenue_by_weekday(known: Known) -> list[Row]:
    found = groups(days(known).items(), lambda item: item[0].isoweekday())
    sums = {weekday: sum((amount for _, amount in each), ZERO) for weekday, each in found.items()}
    return [
        (weekday, len(found[weekday]), sums[weekday], ratio(sums[weekday], len(found[weekday]), 2))
        for weekday in sorted(found)
    ]


def busiest_hours(known: Known) -> list[Row]:
    cells = groups(known.orders, lambda order: (order.day.isoweekday(), order.hour))
    rows = [(*cell, len(orders), revenue(orders)) for cell, orders in cells.items()]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0], row[1]))[:10]


def seven_day_average(known: Known) -> list[Row]:
    found = days(known)
    return [
        (day, amount, ratio(sum((found.get(day - timedelta(days=n), ZERO) for n in range(7)), ZERO), 7, 2))
        for day, amount in found.items()
    ]


def revenue_so_far_this_year(known: Known) -> list[Row]:
    found = days(known)
    return [
        (day, amount, sum((found[d] for d in found if d.year == day.year and d <= day), ZERO))
        for day, amount in found.items()
    ]


def channels_by_month(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: (order.month, order.channel or NONE))
    return [(*key, len(found[key]), revenue(found[key])) for key in sorted(found)]


def categories_by_month(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: (order.month, order.category or NONE))
    totals = {key: revenue(orders) for key, orders in groups(known.orders, lambda o: o.month).items()}
    return [
        (*key, revenue(found[key]), ratio(revenue(found[key]), totals[key[0]], 6)) for key in sorted(found)
    ]


def payment_methods(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: order.payment or NONE)
    return [
        (method, len(orders), revenue(orders), ratio(len(orders), len(known.orders), 6))
        for method, orders in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def discounts(known: Known) -> list[Row]:
    rows = []
    for category, orders in groups(known.orders, lambda order: order.category or NONE).items():
        given = [order.discount for order in orders if order.discount]
        rows.append((category, len(orders), len(given), sum(given, ZERO), ratio(len(given), len(orders), 6)))
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def order_value_bands(known: Known) -> list[Row]:
    bands = (0, 20, 50, 100, 250)
    found = groups(known.orders, lambda order: max(band for band in bands if order.total >= band))
    return [(band, len(found[band]), revenue(found[band])) for band in sorted(found)]


def latest_day_against_a_week_before(known: Known) -> list[Row]:
    found, day = days(known), known.as_of
    if day not in found:
        return []
    before = found.get(day - timedelta(days=7), ZERO)
    return [(day, found[day], before, found[day] - before)]


def largest_orders(known: Known) -> list[Row]:
    ranked = sorted(known.orders, key=lambda order: (-order.total, order.order_id))
    return [(o.order_id, o.day, o.customer, o.product, o.quantity, o.total) for o in ranked[:10]]


def parts_of_the_day(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: order.hour // 6 * 6)
    total = revenue(known.orders)
    return [
        (hour, len(found[hour]), revenue(found[hour]), ratio(revenue(found[hour]), total, 6))
        for hour in sorted(found)
    ]


def bottle_sizes(known: Known) -> list[Row]:
    rows = []
    for size, orders in groups([o for o in known.orders if o.size], lambda order: order.size or ZERO).items():
        litres = size * bottles(orders)
        rows.append((size, bottles(orders), litres, revenue(orders), ratio(revenue(orders), litres, 2)))
    return sorted(rows)


def gaps_without_sales(known: Known) -> list[Row]:
    found = list(days(known))
    return [(a, b, (b - a).days - 1) for a, b in pairwise(found) if (b - a).days > 1]


def weekend_share(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: "WEEKEND" if order.day.isoweekday() >= 6 else "WEEKDAY")
    total = revenue(known.orders)
    return [(part, revenue(found[part]), ratio(revenue(found[part]), total, 6)) for part in sorted(found)]
