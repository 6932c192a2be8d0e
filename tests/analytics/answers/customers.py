"""What each question of analytics/customers must answer: rows and columns in the question's own order.

Questions on a view start from the view's expected rows.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from itertools import pairwise

from tests.analytics import view_answers as views
from tests.analytics.figures import NONE, ZERO, Row, groups, median, month, ratio, round_fraction
from tests.analytics.known_data import Known
from tests.analytics.view_answers import baskets, bottles, revenue


def _first_days(known: Known) -> dict[int, date]:
    by_customer = groups(known.orders, lambda order: order.customer)
    return {customer: min(order.day for order in orders) for customer, orders in by_customer.items()}


def best_customers(known: Known) -> list[Row]:
    ranked = sorted(views.customers(known), key=lambda row: (-row[6], row[0]))
    return [(row[0], row[6], row[4], row[7], row[2], row[14]) for row in ranked[:20]]


def segments(known: Known) -> list[Row]:
    found = groups(views.customers(known), lambda row: row[14])
    sums = {segment: sum((row[6] for row in rows), ZERO) for segment, rows in found.items()}
    return [(s, len(found[s]), sums[s], ratio(sums[s], len(found[s]), 2)) for s in sorted(found)]


def new_and_returning_revenue(known: Known) -> list[Row]:
    first = _first_days(known)
    rows = []
    for key, orders in groups(known.orders, lambda order: order.month).items():
        new = revenue([order for order in orders if month(first[order.customer]) == key])
        rows.append((key, new, revenue(orders) - new))
    return sorted(rows)


def cohorts(known: Known) -> list[Row]:
    first = _first_days(known)
    active = set()
    for order in known.orders:
        begun = first[order.customer]
        since = (order.day.year - begun.year) * 12 + order.day.month - begun.month
        active.add((order.customer, month(begun), since))
    return sorted((*key, count) for key, count in Counter(row[1:] for row in active).items())


def repeat_rate(known: Known) -> list[Row]:
    found = views.customers(known)
    returning = sum(row[4] > 1 for row in found)
    return [(len(found), returning, ratio(returning, len(found), 6))]


def days_between_baskets(known: Known) -> list[Row]:
    steps: list[int] = []
    for orders in groups(known.orders, lambda order: order.customer).values():
        visits = sorted({order.day for order in orders})
        steps += [(b - a).days for a, b in pairwise(visits)]
    middle = round_fraction(median(steps), 1) if steps else None
    return [(len(steps), ratio(sum(steps), len(steps), 1), middle)]


def good_customers_at_risk(known: Known) -> list[Row]:
    rows = [(row[0], row[2], row[9], row[6]) for row in views.customers(known) if row[14] == "AT_RISK"]
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def channel_of_the_first_order(known: Known) -> list[Row]:
    by_customer = groups(known.orders, lambda order: order.customer)
    first = {c: min(orders, key=lambda o: (o.at, o.order_id)) for c, orders in by_customer.items()}
    rows = []
    for channel, lines in groups(first.values(), lambda order: order.channel or NONE).items():
        back = sum(len({order.day for order in by_customer[line.customer]}) > 1 for line in lines)
        rows.append((channel, len(lines), back, ratio(back, len(lines), 6)))
    return sorted(rows)


def several_channels(known: Known) -> list[Row]:
    rows = []
    for customer, orders in groups(known.orders, lambda order: order.customer).items():
        channels = {order.channel for order in orders if order.channel}
        if len(channels) > 1:
            rows.append((customer, len(channels), revenue(orders)))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def share_of_the_best_fifth(known: Known) -> list[Row]:
    values = sorted((row[6] for row in views.customers(known)), reverse=True)
    count = math.ceil(len(values) / 5)
    return [(count, ratio(sum(values[:count], ZERO), sum(values, ZERO), 6))]


def favourite_category(known: Known) -> list[Row]:
    rows = []
    for customer, bought in groups(known.orders, lambda order: order.customer).items():
        kinds = groups(bought, lambda order: order.category or NONE)
        best = min(kinds, key=lambda kind: (-bottles(kinds[kind]), -revenue(kinds[kind]), kind))
        rows.append((customer, best, bottles(kinds[best])))
    return sorted(rows)


def new_customers_by_month(known: Known) -> list[Row]:
    return sorted(Counter(month(day) for day in _first_days(known).values()).items())


def baskets_by_month(known: Known) -> list[Row]:
    rows = []
    for key, found in groups(baskets(known).items(), lambda item: month(item[0][0])).items():
        values = [revenue(orders) for _, orders in found]
        rows.append((key, len(values), ratio(sum(values, ZERO), len(values), 2), max(values)))
    return sorted(rows)


def basket_sizes(known: Known) -> list[Row]:
    rows = []
    for size, found in groups(baskets(known).values(), len).items():
        rows.append((size, len(found), ratio(sum((revenue(each) for each in found), ZERO), len(found), 2)))
    return sorted(rows)
