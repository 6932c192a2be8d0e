"""What each question of analytics/stock must answer: rows and columns in the question's own order.

Questions on a view start from the view's expected rows.
"""

from __future__ import annotations

from tests.analytics import view_answers as views
from tests.analytics.figures import NONE, Row, groups, month, ratio
from tests.analytics.known_data import Known


def stock_by_location(known: Known) -> list[Row]:
    found = groups(known.levels.items(), lambda item: item[0][1])
    return sorted(
        (location, len(shelves), sum(n for _, n in shelves), sum(n <= 0 for _, n in shelves))
        for location, shelves in found.items()
    )


def critical_shelves(known: Known) -> list[Row]:
    rows = [(*shelf, level) for shelf, level in known.levels.items() if level < 10]
    return sorted(rows, key=lambda row: (row[2], row[0], row[1]))


def runs_out_within_a_week(known: Known) -> list[Row]:
    rows = [(r[0], r[3], r[8], r[9]) for r in views.stock_cover(known) if r[8] is not None and r[8] < 7]
    return sorted(rows, key=lambda row: (row[2], row[0]))


def too_much_stock(known: Known) -> list[Row]:
    cover = [row for row in views.stock_cover(known) if row[3] > 0]
    rows = [(row[0], row[3], row[8]) for row in cover if row[8] is None or row[8] > 180]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def spoilage(known: Known) -> list[Row]:
    rows = []
    for location, movements in groups(known.movements, lambda each: each.location).items():
        delivered = sum(each.change for each in movements if each.kind == "REPLENISHMENT")
        spoilt = -sum(each.change for each in movements if each.kind == "SPOILAGE")
        rows.append((location, delivered, spoilt, ratio(spoilt, delivered, 6)))
    return sorted(rows)


def movements_by_type(known: Known) -> list[Row]:
    found = groups(known.movements, lambda each: (month(each.day), each.kind))
    return [
        (kind, key, len(found[key, kind]), sum(each.change for each in found[key, kind]))
        for key, kind in sorted(found)
    ]


def below_zero(known: Known) -> list[Row]:
    found = groups(views.stock_ledger(known), lambda row: (row[3], row[6]))
    lowest = [(*shelf, min(row[11] for row in rows)) for shelf, rows in found.items()]
    return sorted((row for row in lowest if row[2] < 0), key=lambda row: (row[2], row[0], row[1]))


def ledger_and_level(known: Known) -> list[Row]:
    """Whatever is loaded: a row would be a fault."""
    return []


def transfers(known: Known) -> list[Row]:
    return sorted(
        (product, to, level, other, there)
        for (product, to), level in known.levels.items()
        for (same, other), there in known.levels.items()
        if level < 10 and same == product and there >= 48
    )


def stock_at_sales_prices(known: Known) -> list[Row]:
    sales = {row[0]: row for row in views.sales_by_product(known)}
    found = groups(known.levels.items(), lambda item: sales[item[0][0]][2] or NONE)
    rows = []
    for category, shelves in found.items():
        amounts = [max(level, 0) * (sales[product][9] or 0) for (product, _), level in shelves]
        rows.append((category, sum(max(level, 0) for _, level in shelves), sum(amounts)))
    return sorted(rows)


def important_and_low(known: Known) -> list[Row]:
    important = {row[0] for row in views.product_abc(known) if row[7] == "A"}
    rows = [(*shelf, level) for shelf, level in known.levels.items() if shelf[0] in important and level < 24]
    ordered = sorted(rows, key=lambda row: (row[2], row[0], row[1]))
    return [(*row, "CRITICAL" if row[2] < 10 else "LOW") for row in ordered]
