"""What each question of analytics/products must answer: rows and columns in the question's own order.

Questions on a view start from the view's expected rows.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from tests.analytics import view_answers as views
from tests.analytics.figures import NONE, ZERO, Row, groups, ratio
from tests.analytics.known_data import Known
from tests.analytics.view_answers import baskets, bottles, revenue


def best_sellers(known: Known) -> list[Row]:
    sold = [row for row in views.sales_by_product(known) if row[3]]
    return [(r[0], r[1], r[5], r[6], r[7]) for r in sorted(sold, key=lambda r: (-r[6], r[0]))[:10]]


def best_of_each_category(known: Known) -> list[Row]:
    sold = groups([row for row in views.sales_by_product(known) if row[3]], lambda row: row[2] or NONE)
    best = {category: min(rows, key=lambda row: (-row[6], row[0])) for category, rows in sold.items()}
    return [(*best[category][:2], best[category][6], category) for category in sorted(best)]


def never_sold(known: Known) -> list[Row]:
    sold = {order.product for order in known.orders}
    rows = [(row[0], row[1], row[3]) for row in views.stock_cover(known) if row[0] not in sold]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def abc_summary(known: Known) -> list[Row]:
    found = groups(views.product_abc(known), lambda row: row[7])
    sums = {letter: sum((row[3] for row in rows), ZERO) for letter, rows in found.items()}
    total = revenue(known.orders)
    return [
        (letter, len(found[letter]), sums[letter], ratio(sums[letter], total, 6)) for letter in sorted(found)
    ]


def gone_quiet(known: Known) -> list[Row]:
    sold = [row for row in views.sales_by_product(known) if row[11]]
    rows = [(row[0], row[1], row[11], (known.as_of - row[11]).days) for row in sold]
    return sorted((row for row in rows if row[3] >= 28), key=lambda row: (-row[3], row[0]))


def price_spread(known: Known) -> list[Row]:
    rows = []
    for product, orders in groups(known.orders, lambda order: order.product).items():
        prices = [order.price for order in orders]
        if min(prices) < max(prices):
            rows.append((product, min(prices), max(prices), max(prices) - min(prices)))
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def risers_and_fallers(known: Known) -> list[Row]:
    recent = [order for order in known.orders if 0 <= (known.as_of - order.day).days < 14]
    rows = []
    for product, orders in groups(recent, lambda order: order.product).items():
        earlier = revenue([order for order in orders if (known.as_of - order.day).days >= 7])
        latest = revenue(orders) - earlier
        rows.append((product, earlier, latest, latest - earlier))
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def bought_together(known: Known) -> list[Row]:
    pairs: Counter[tuple[int, int]] = Counter()
    for orders in baskets(known).values():
        pairs.update(combinations(sorted({order.product for order in orders}), 2))
    return [(*pair, count) for pair, count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))][
        :20
    ]


def products_for_half_of_the_revenue(known: Known) -> list[Row]:
    left, count = revenue(known.orders) / 2, 0
    for row in views.product_abc(known):
        if left > 0 and row[3]:
            count, left = count + 1, left - row[3]
    return [(count, len(views.products(known)))]


def products_people_come_back_for(known: Known) -> list[Row]:
    rows = []
    for product, orders in groups(known.orders, lambda order: order.product).items():
        buyers = groups(orders, lambda order: order.customer).values()
        returning = sum(len({order.day for order in bought}) > 1 for bought in buyers)
        if returning:
            rows.append((product, returning, len(buyers), ratio(returning, len(buyers), 6)))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def sold_in_one_channel_only(known: Known) -> list[Row]:
    rows = []
    for product, orders in groups([o for o in known.orders if o.channel], lambda o: o.product).items():
        channels = {order.channel for order in orders}
        if len(channels) == 1:
            rows.append((product, channels.pop(), len(orders)))
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def prices_by_category(known: Known) -> list[Row]:
    rows = []
    for category, orders in groups(known.orders, lambda order: order.category or NONE).items():
        prices = [order.price for order in orders]
        listed = sum((order.price * order.quantity for order in orders), ZERO)
        rows.append((category, min(prices), max(prices), ratio(listed, bottles(orders), 2)))
    return sorted(rows)
