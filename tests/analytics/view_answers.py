"""What each view of ANALYTICS must hold, worked out in Python from the rows that were loaded.

Each function gives the view's rows, whole and in the view's order of columns; the order of rows is free.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from caves_snowpark import names
from tests.analytics.figures import NONE, Row, groups, median, plain, ratio, round_fraction
from tests.analytics.known_data import Known, Movement, Order, paris_day

ViewAnswer = Callable[[Known], list[Row]]


def revenue(orders: list[Order]) -> Decimal:
    return sum((order.total for order in orders), Decimal(0))


def bottles(orders: list[Order]) -> int:
    return sum(order.quantity for order in orders)


def baskets(known: Known) -> dict[tuple[date, int], list[Order]]:
    """The order lines of each customer and day."""
    return groups(known.orders, lambda order: (order.day, order.customer))


def daily_sales(known: Known) -> list[Row]:
    return [
        # The average is not rounded: DuckDB gives a double.
        (day, len(orders), revenue(orders), float(revenue(orders) / len(orders)))
        for day, orders in groups(known.orders, lambda order: order.day).items()
    ]


def products(known: Known) -> list[Row]:
    events: list[Order | Movement] = [*known.orders, *known.movements]
    rows = []
    for product, seen in groups(events, lambda event: event.product).items():
        latest = max(seen, key=lambda e: (e.name is not None, e.at, _key(e)))
        times = [event.at for event in seen]
        rows.append((product, latest.name, latest.category, min(times), max(times)))
    return rows


def _key(event: Order | Movement) -> str:
    return event.order_id if isinstance(event, Order) else event.key


def sales_by_product(known: Known) -> list[Row]:
    sold = groups(known.orders, lambda order: order.product)
    rows = []
    for product, name, category, _, _ in products(known):
        orders = sold.get(product, [])
        amount, days = revenue(orders), [order.day for order in orders]
        rows.append(
            (
                product,
                name,
                category,
                len(orders),
                len({order.customer for order in orders}),
                bottles(orders),
                amount,
                ratio(amount, revenue(known.orders), 6),
                ratio(amount, len(orders), 2),
                ratio(amount, bottles(orders), 2),
                min(days, default=None),
                max(days, default=None),
            )
        )
    return rows


def _sales(known: Known, orders: list[Order]) -> Row:
    amount = revenue(orders)
    return (
        bottles(orders),
        amount,
        ratio(amount, revenue(known.orders), 6),
        ratio(amount, len(orders), 2),
        ratio(amount, bottles(orders), 2),
    )


def sales_by_category(known: Known) -> list[Row]:
    return [
        (
            category,
            len(orders),
            len({order.customer for order in orders}),
            len({order.product for order in orders}),
            *_sales(known, orders),
        )
        for category, orders in groups(known.orders, lambda order: order.category or NONE).items()
    ]


def sales_by_channel(known: Known) -> list[Row]:
    return [
        (channel, len(orders), len({order.customer for order in orders}), *_sales(known, orders))
        for channel, orders in groups(known.orders, lambda order: order.channel or NONE).items()
    ]


def sales_by_hour(known: Known) -> list[Row]:
    weekdays = groups({order.day for order in known.orders}, lambda day: day.isoweekday())
    cells = groups(known.orders, lambda order: (order.day.isoweekday(), order.hour))
    return [
        (
            weekday,
            hour,
            len(orders),
            bottles(orders),
            revenue(orders),
            len(weekdays[weekday]),
            ratio(revenue(orders), len(weekdays[weekday]), 2),
        )
        for (weekday, hour), orders in cells.items()
    ]


def product_abc(known: Known) -> list[Row]:
    total, before, rows = revenue(known.orders), Decimal(0), []
    ranked = sorted(sales_by_product(known), key=lambda row: (-row[6], row[0]))
    for rank, row in enumerate(ranked, 1):
        amount = row[6]
        if not amount or before >= total * 95 / 100:
            letter = "C"
        else:
            letter = "A" if before < total * 80 / 100 else "B"
        before += amount
        rows.append((*row[:3], amount, rank, row[7], ratio(before, total, 6), letter))
    return rows


def customers(known: Known) -> list[Row]:
    found = groups(known.orders, lambda order: order.customer)
    last = {customer: max(order.day for order in orders) for customer, orders in found.items()}
    recency = {customer: max((known.as_of - day).days, 0) for customer, day in last.items()}
    frequency = {customer: len({order.day for order in orders}) for customer, orders in found.items()}
    monetary = {customer: revenue(orders) for customer, orders in found.items()}
    rows = []
    for customer, orders in found.items():
        r = _score([-days for days in recency.values()], -recency[customer])
        f = _score(list(frequency.values()), frequency[customer])
        m = _score(list(monetary.values()), monetary[customer])
        rows.append(
            (
                customer,
                min(order.day for order in orders),
                last[customer],
                len(orders),
                frequency[customer],
                bottles(orders),
                monetary[customer],
                ratio(monetary[customer], frequency[customer], 2),
                known.as_of,
                recency[customer],
                r,
                f,
                m,
                f"{r}{f}{m}",
                _segment(r, f, m, frequency[customer]),
            )
        )
    return rows


def _score(values: list[Any], value: Any) -> int:
    """In which fifth a value lies: 5 for the best; equal values together."""
    worse = len([other for other in values if other < value])
    return 1 + 5 * worse // len(values)


def _segment(r: int, f: int, m: int, count: int) -> str:
    if min(r, f, m) >= 4:
        return "CHAMPION"
    if r >= 3:
        return "LOYAL" if f >= 3 else "NEW" if count == 1 else "PROMISING"
    return "AT_RISK" if f >= 3 else "HIBERNATING"


def basket_statistics(known: Known) -> list[Row]:
    rows = []
    for day, keys in groups(baskets(known), lambda key: key[0]).items():
        each = [baskets(known)[key] for key in keys]
        values = [revenue(basket) for basket in each]
        rows.append(
            (
                day,
                len(each),
                sum(values, Decimal(0)),
                ratio(sum(values, Decimal(0)), len(each), 2),
                round_fraction(median(values), 2),
                max(values),
                ratio(sum(len(basket) for basket in each), len(each), 3),
                ratio(sum(bottles(basket) for basket in each), len(each), 3),
                ratio(sum(len(basket) > 1 for basket in each), len(each), 6),
            )
        )
    return rows


def stock_ledger(known: Known) -> list[Row]:
    rows = []
    for movements in groups(known.movements, lambda each: (each.product, each.location)).values():
        balance = 0
        for number, each in enumerate(sorted(movements, key=lambda m: (m.at, m.offset)), 1):
            balance += each.change
            names_ = (each.key, each.day, each.at, each.product, each.name, each.category, each.location)
            rows.append((*names_, each.kind, each.reason, number, each.change, balance))
    return rows


def stock_cover(known: Known) -> list[Row]:
    past = [order for order in known.orders if order.day <= known.as_of]
    first = min((order.day for order in past), default=None)
    window = min(28, (known.as_of - first).days + 1) if first else 28
    recent = [order for order in past if (known.as_of - order.day).days < window]
    rows = []
    for product, shelves in groups(known.levels.items(), lambda item: item[0][0]).items():
        level = sum(amount for _, amount in shelves)
        sold = sum(order.quantity for order in recent if order.product == product)
        days = Fraction(max(level, 0) * window, sold) if sold else None
        rows.append(
            (
                product,
                *_named(known, product),
                level,
                known.as_of,
                window,
                sold,
                ratio(sold, window, 3),
                None if days is None else round_fraction(days, 1),
                None if days is None else known.as_of + timedelta(days=math.floor(days)),
            )
        )
    return rows


def _named(known: Known, product: int) -> tuple[str | None, str | None]:
    shelves = groups([m for m in known.movements if m.product == product], lambda m: m.location)
    latest = [max(moved, key=lambda m: (m.at, m.offset)) for moved in shelves.values()]
    last = max(latest, key=lambda m: (m.name is not None, m.at, m.location))
    return last.name, last.category


def low_stock(known: Known) -> list[Row]:
    cover = {row[0]: row for row in stock_cover(known)}
    rows = []
    for (product, location), level in known.levels.items():
        if level < 24:
            here = [m for m in known.movements if (m.product, m.location) == (product, location)]
            latest = max(here, key=lambda m: (m.at, m.offset))
            status = "CRITICAL" if level < 10 else "LOW"
            total = cover[product]
            rows.append(
                (
                    *(product, location, latest.name, latest.category, level, status, 24, 10, latest.at),
                    *(total[3], total[8], total[9]),
                )
            )
    return rows


def data_quality(known: Known) -> list[Row]:
    rejected = groups(known.rejected, lambda each: paris_day(each.at))
    repeats = groups(known.duplicates, paris_day)
    orders = groups(known.staged_orders, lambda order: paris_day(order.staged))
    moves = groups(known.movements, lambda movement: paris_day(movement.staged))
    rows = []

    def add(day: date, issue: str, detail: str, count: int, base: int) -> None:
        rows.append((day, issue, detail, count, base, ratio(count, base, 6)))

    for day in {*rejected, *repeats, *orders, *moves}:
        base = sum(len(events.get(day, [])) for events in (rejected, repeats, orders, moves))
        if refused := rejected.get(day):
            still_open = [each for each in refused if not each.replayed and not each.dismissed]
            add(day, "REJECTED", "(all)", len(refused), base)
            add(day, "REJECTED_OPEN", "(all)", len(still_open), base)
            reasons = [reason for each in refused for reason in each.reasons]
            for reason in set(reasons):
                add(day, "REJECTED_FOR", reason, reasons.count(reason), base)
        if day in repeats:
            add(day, "DUPLICATE", "(all)", len(repeats[day]), base)
    for day, staged in orders.items():
        for field, attribute in _ORDER_FIELDS.items():
            nulls = sum(getattr(order, attribute, None) is None for order in staged)
            add(day, "NULL_FIELD", f"STG_ORDERS.{field}", nulls, len(staged))
        add(day, "LATE", "ORDER_CREATED", sum(order.day < day for order in staged), len(staged))
        add(day, "FUTURE", "ORDER_CREATED", sum(order.at > order.staged for order in staged), len(staged))
    for day, moved in moves.items():
        for field, attribute in _MOVEMENT_FIELDS.items():
            nulls = sum(getattr(movement, attribute, None) is None for movement in moved)
            add(day, "NULL_FIELD", f"STG_INVENTORY_ADJUSTMENTS.{field}", nulls, len(moved))
        add(day, "LATE", "INVENTORY_ADJUSTED", sum(each.day < day for each in moved), len(moved))
        add(day, "FUTURE", "INVENTORY_ADJUSTED", sum(each.at > each.staged for each in moved), len(moved))
    return rows


# The attribute of a row for each optional column; "" for those that are never filled here.
_ORDER_FIELDS = {
    "PRODUCT_NAME": "name",
    "PRODUCT_CATEGORY": "category",
    "DISCOUNT": "discount",
    "SALES_CHANNEL": "channel",
    "PAYMENT_METHOD": "payment",
    "SHIPPING_ADDRESS": "",
    "BOTTLE_SIZE_L": "size",
    "SOURCE_SERVICE": "",
}
_MOVEMENT_FIELDS = {
    "PRODUCT_NAME": "name",
    "PRODUCT_CATEGORY": "category",
    "REASON": "reason",
    "SOURCE_SERVICE": "",
}


def pipeline_freshness(known: Known) -> list[Row]:
    """Without the two columns that tell the time until now: a test of their own looks at them."""
    orders, moves = known.orders, known.movements

    def latest(values: list[Any]) -> Any:
        return max(values, default=None)

    moved = (latest([m.staged for m in moves]), latest([m.at for m in moves]))
    return [
        ("RAW_DATA", "RAW_EVENTS_STREAM", 0, None, None),
        (
            *("STAGING", "STG_ORDERS", len(known.staged_orders)),
            *(latest([o.staged for o in known.staged_orders]), latest([o.at for o in known.staged_orders])),
        ),
        ("STAGING", "STG_INVENTORY_ADJUSTMENTS", len(moves), *moved),
        ("STAGING", "REJECTED_EVENTS", len(known.rejected), latest([r.at for r in known.rejected]), None),
        ("STAGING", "DUPLICATE_EVENTS", len(known.duplicates), latest(known.duplicates), None),
        (
            "PRODUCTION",
            "ORDERS",
            len(orders),
            latest([o.staged for o in orders]),
            latest([o.at for o in orders]),
        ),
        ("PRODUCTION", "INVENTORY_HISTORY", len(moves), *moved),
        ("PRODUCTION", "INVENTORY_CURRENT", len(known.levels), *moved),
    ]


ANSWERS: dict[str, ViewAnswer] = {
    names.DAILY_SALES: daily_sales,
    names.PRODUCTS: products,
    names.SALES_BY_PRODUCT: sales_by_product,
    names.SALES_BY_CATEGORY: sales_by_category,
    names.SALES_BY_CHANNEL: sales_by_channel,
    names.SALES_BY_HOUR: sales_by_hour,
    names.PRODUCT_ABC: product_abc,
    names.CUSTOMERS: customers,
    names.BASKET_STATISTICS: basket_statistics,
    names.STOCK_LEDGER: stock_ledger,
    names.STOCK_COVER: stock_cover,
    names.LOW_STOCK: low_stock,
    names.DATA_QUALITY: data_quality,
    names.PIPELINE_FRESHNESS: pipeline_freshness,
}


def expected(view: str, known: Known) -> list[Row]:
    """The rows of a view, each number in one spelling, in some fixed order."""
    return sorted((plain(row) for row in ANSWERS[view](known)), key=str)
