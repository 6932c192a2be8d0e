"""Every question of the dashboard against plain Python over the same rows."""

import ast
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_snowpark import names
from dashboard import queries
from dashboard.filters import Choices, Filters
from tests.dashboard import shop

ORDERS = shop.orders()
MOVEMENTS = shop.movements()
MONTH = Filters(date(2026, 3, 2), shop.LAST_DAY)
NARROW = replace(
    MONTH, categories=("Rouge", "Rosé"), channels=("L'ÉCHOPPE", "WEB"), locations=("ATLANTIS", "PARIS-BERCY")
)
# The clocks change on the 29th.
FILTERS = [MONTH, NARROW, replace(MONTH, channels=("WEB",)), Filters(date(2026, 3, 26), date(2026, 3, 29))]


def sold(filters: Filters, start: date | None = None) -> list[shop.Order]:
    return [
        order
        for order in shop.between(ORDERS, start or filters.start, filters.end)
        if (not filters.categories or order.category in filters.categories)
        and (not filters.channels or order.channel in filters.channels)
    ]


def moved(filters: Filters) -> list[shop.Movement]:
    return [
        movement
        for movement in MOVEMENTS
        if (not filters.categories or movement.category in filters.categories)
        and (not filters.locations or movement.location in filters.locations)
    ]


def records(frame: Any) -> list[dict[str, Any]]:
    return frame.to_dict("records")  # type: ignore[no-any-return]


def test_the_choices_are_what_the_tables_hold(session: Session) -> None:
    first = min(*(order.day for order in ORDERS), *(movement.day for movement in MOVEMENTS))
    assert queries.choices(session, date(2026, 12, 31)) == Choices(
        first,
        shop.LAST_DAY,
        ("Blanc", "Rosé", "Rouge"),
        ("BOUTIQUE", "L'ÉCHOPPE", "WEB"),
        ("ATLANTIS", "LYON-CONFLUENCE", "PARIS-BERCY"),
        datetime(2026, 3, 31, 23, 30),
    )


def test_a_till_from_the_future_does_not_move_the_end_past_today(session: Session) -> None:
    found = queries.choices(session, date(2026, 3, 15))
    assert found is not None
    assert found.last == date(2026, 3, 15)


@pytest.mark.parametrize("filters", FILTERS)
def test_sales_totals_are_those_of_the_period_and_of_the_one_before(
    session: Session, filters: Filters
) -> None:
    """PITFALLS 8."""
    found = {bool(line["NOW"]): line for line in records(queries.sales_totals(session, filters))}
    before = replace(filters, start=filters.before, end=filters.start - timedelta(1))
    for now, orders in ((True, sold(filters)), (False, sold(before))):
        if not orders:
            assert now not in found
            continue
        assert found[now] == {
            "NOW": now,
            "ORDERS": len(orders),
            "CUSTOMERS": len({order.customer for order in orders}),
            "REVENUE": sum(order.amount for order in orders),
            "BOTTLES": sum(order.quantity for order in orders),
            "BASKETS": len({(order.customer, order.day) for order in orders}),
        }


def test_a_day_that_is_not_over_is_compared_with_the_same_hours_of_the_period_before(
    session: Session,
) -> None:
    """Every morning would look like a disaster otherwise."""
    noon = datetime(2026, 3, 31, 12)
    filters = Filters(date(2026, 3, 30), date(2026, 3, 31), until=noon)
    found = {bool(line["NOW"]): line for line in records(queries.sales_totals(session, filters))}
    assert found[True]["ORDERS"] == len(sold(filters))
    before = [
        order
        for order in shop.between(ORDERS, date(2026, 3, 28), date(2026, 3, 29))
        if order.when.astimezone(shop.PARIS).replace(tzinfo=None) <= noon - timedelta(2)
    ]
    assert (
        found[False]["ORDERS"]
        == len(before)
        < len(shop.between(ORDERS, date(2026, 3, 28), date(2026, 3, 29)))
    )
    people = {bool(line["NOW"]): line for line in records(queries.customer_totals(session, filters))}
    assert people[False]["REVENUE"] == sum(order.amount for order in before)


@pytest.mark.parametrize("filters", FILTERS)
def test_revenue_by_day_is_that_of_the_days_in_paris(session: Session, filters: Filters) -> None:
    """PITFALLS 6: an order at 23:30 in Paris is that day's."""
    found = {line["DAY"]: line["REVENUE"] for line in records(queries.revenue_over_time(session, filters))}
    assert found == shop.revenue_by(sold(filters), lambda order: order.day)


def test_three_days_are_shown_by_the_hour_in_paris(session: Session) -> None:
    days = Filters(date(2026, 3, 28), date(2026, 3, 30))
    hours = {line["DAY"]: line["REVENUE"] for line in records(queries.revenue_over_time(session, days))}
    assert hours == shop.revenue_by(
        sold(days),
        lambda order: order.when.astimezone(shop.PARIS).replace(minute=0, second=0, tzinfo=None),
    )


def test_a_long_period_is_shown_by_week_and_a_very_long_one_by_month(session: Session) -> None:
    year = Filters(date(2025, 4, 1), shop.LAST_DAY)
    weeks = {line["DAY"]: line["REVENUE"] for line in records(queries.revenue_over_time(session, year))}
    assert weeks == shop.revenue_by(sold(year), lambda order: order.day - timedelta(order.day.weekday()))
    decade = Filters(date(2016, 4, 1), shop.LAST_DAY)
    months = {line["DAY"]: line["REVENUE"] for line in records(queries.revenue_over_time(session, decade))}
    assert months == shop.revenue_by(sold(decade), lambda order: order.day.replace(day=1))


@pytest.mark.parametrize("filters", FILTERS)
def test_top_wines_are_ranked_by_revenue(session: Session, filters: Filters) -> None:
    found = records(queries.top_wines(session, filters))
    revenue = shop.revenue_by(sold(filters), lambda order: order.product)
    ranked = sorted(revenue, key=lambda product: (-revenue[product], product))[: queries.MOST_LINES]
    assert [line["PRODUCT_ID"] for line in found] == ranked
    assert [line["REVENUE"] for line in found] == [revenue[product] for product in ranked]


@pytest.mark.parametrize("filters", FILTERS)
def test_revenue_by_category_names_what_has_none(session: Session, filters: Filters) -> None:
    found = records(queries.revenue_by(session, filters, "PRODUCT_CATEGORY"))
    expected = shop.revenue_by(sold(filters), lambda order: order.category or queries.NONE)
    assert {line["PRODUCT_CATEGORY"]: line["REVENUE"] for line in found} == expected


@pytest.mark.parametrize("filters", FILTERS)
def test_hours_are_those_of_paris_also_when_the_clocks_change(session: Session, filters: Filters) -> None:
    found = {
        (line["WEEKDAY"], line["HOUR"]): line["ORDERS"]
        for line in records(queries.revenue_by_hour(session, filters))
    }
    expected = Counter(
        (order.day.isoweekday(), order.when.astimezone(shop.PARIS).hour) for order in sold(filters)
    )
    assert found == expected


def test_top_customers_are_listed_once_each(session: Session) -> None:
    """PITFALLS 8."""
    found = records(queries.top_customers(session, MONTH))
    revenue = shop.revenue_by(sold(MONTH), lambda order: order.customer)
    assert [line["REVENUE"] for line in found] == sorted(revenue.values(), reverse=True)[: queries.MOST_LINES]
    assert len({line["CUSTOMER_ID"] for line in found}) == len(found)


@pytest.mark.parametrize("filters", [MONTH, NARROW])
def test_stock_levels_are_by_category_and_location(session: Session, filters: Filters) -> None:
    """PITFALLS 4."""
    found = records(queries.stock_levels(session, filters))
    expected: Counter[Any] = Counter()
    for movement in moved(filters):
        expected[movement.category or queries.NONE, movement.location] += movement.change
    assert {
        (line["PRODUCT_CATEGORY"], line["WAREHOUSE_LOCATION"]): line["BOTTLES"] for line in found
    } == expected


def shelves(filters: Filters) -> dict[tuple[int, str], int]:
    found: Counter[tuple[int, str]] = Counter()
    for movement in moved(filters):
        found[movement.product, movement.location] += movement.change
    return found


def cover(filters: Filters) -> dict[int, Decimal]:
    """Days that the stock at all places lasts, by product that is sold and lies at the chosen places."""
    stock: Counter[int] = Counter()
    for (product, _), level in shelves(replace(filters, locations=())).items():
        stock[product] += level
    sales: Counter[int] = Counter()
    for order in shop.between(ORDERS, shop.LAST_DAY - timedelta(27), shop.LAST_DAY):
        sales[order.product] += order.quantity
    here = {product for product, _ in shelves(filters)}
    return {
        product: max(level, 0) * 28 / Decimal(sales[product])
        for product, level in stock.items()
        if sales[product] and product in here
    }


@pytest.mark.parametrize("filters", [MONTH, NARROW, replace(MONTH, locations=("ATLANTIS",))])
def test_stock_totals_count_shelves_and_what_runs_out(session: Session, filters: Filters) -> None:
    """PITFALLS 3: alerts that never fire. PITFALLS 8: what is not sold divides by nothing."""
    levels = shelves(filters)
    assert queries.stock_totals(session, filters) == {
        "BOTTLES": sum(levels.values()),
        "PRODUCTS": len({product for product, _ in levels}),
        "CRITICAL": sum(1 for level in levels.values() if level < 10),
        "LOW": sum(1 for level in levels.values() if 10 <= level < 24),
        "SOON": sum(1 for days in cover(filters).values() if days < queries.SOON_DAYS),
    }


@pytest.mark.parametrize("filters", [MONTH, replace(MONTH, locations=("ATLANTIS", "PARIS-BERCY"))])
def test_low_shelves_are_listed_from_the_emptiest_on(session: Session, filters: Filters) -> None:
    """PITFALLS 4."""
    found = records(queries.low_stock(session, filters))
    low = sorted((level, *shelf) for shelf, level in shelves(filters).items() if level < 24)
    assert low
    expected = [(level, product, place) for level, product, place in low][: queries.MOST_LINES]
    assert [(n["STOCK_LEVEL"], n["PRODUCT_ID"], n["WAREHOUSE_LOCATION"]) for n in found] == expected
    assert {line["STOCK_STATUS"] for line in found if line["STOCK_LEVEL"] < 10} == {"CRITICAL"}
    assert {line["STOCK_STATUS"] for line in found if line["STOCK_LEVEL"] >= 10} <= {"LOW"}


@pytest.mark.parametrize("filters", [MONTH, NARROW])
def test_what_runs_out_first_comes_first_with_the_day(session: Session, filters: Filters) -> None:
    expected = cover(filters)
    found = records(queries.running_out(session, filters))
    days = [line["DAYS_OF_COVER"] for line in found]
    assert days == sorted(days)
    assert len(found) == min(len(expected), queries.MOST_LINES)
    for line in found:
        whole = expected[line["PRODUCT_ID"]]
        assert abs(line["DAYS_OF_COVER"] - whole) <= Decimal("0.05")
        assert line["RUN_OUT_DATE"] == shop.LAST_DAY + timedelta(int(whole))


def test_movements_are_the_newest_of_the_period(session: Session) -> None:
    found = records(queries.movements(session, NARROW))
    inside = [movement for movement in moved(NARROW) if NARROW.start <= movement.day <= NARROW.end]
    newest = sorted(inside, key=lambda movement: movement.when, reverse=True)[: queries.MOST_LINES]
    assert sorted(line["QUANTITY_CHANGE"] for line in found) == sorted(line.change for line in newest)
    assert found[0]["MOVED_AT"] == newest[0].when.astimezone(shop.PARIS).replace(tzinfo=None)
    # The last movement of a shelf leaves what lies there now.
    level = shelves(MONTH)[newest[0].product, newest[0].location]
    assert found[0]["RUNNING_BALANCE"] == level


def test_the_running_balance_starts_from_what_was_there_before_the_period(session: Session) -> None:
    found = records(queries.running_balance(session, MONTH, 1003))
    changes: Counter[date] = Counter()
    for movement in MOVEMENTS:
        if movement.product == 1003:
            changes[movement.day] += movement.change
    balance, expected = 0, []
    for day in sorted(changes):
        balance += changes[day]
        if day >= MONTH.start:
            expected.append((day, changes[day], balance))
    assert [(line["DAY"], line["CHANGE"], line["BALANCE"]) for line in found] == expected


@pytest.mark.parametrize("filters", FILTERS)
def test_customer_totals_count_new_and_repeated_ones(session: Session, filters: Filters) -> None:
    found = {bool(line["NOW"]): line for line in records(queries.customer_totals(session, filters))}
    orders = sold(filters)
    if not orders:
        assert True not in found
        return
    first: dict[int, date] = {}
    for order in sold(filters, start=date.min):
        first[order.customer] = min(first.get(order.customer, date.max), order.day)
    baskets = {(order.customer, order.day) for order in orders}
    counted = Counter(customer for customer, _ in baskets)
    assert found[True] == {
        "NOW": True,
        "CUSTOMERS": len(counted),
        "NEW": sum(first[customer] >= filters.start for customer in counted),
        "REPEATED": sum(times > 1 for times in counted.values()),
        "BASKETS": len(baskets),
        "REVENUE": sum(order.amount for order in orders),
    }


def segments(filters: Filters) -> dict[int, str]:
    """By customer; a score is the fifth in which they are, by how many are worse."""
    last: dict[int, date] = {}
    days: defaultdict[int, set[date]] = defaultdict(set)
    for order in sold(filters):
        last[order.customer] = max(last.get(order.customer, date.min), order.day)
        days[order.customer].add(order.day)
    baskets = {customer: len(found) for customer, found in days.items()}
    spent = shop.revenue_by(sold(filters), lambda order: order.customer)

    def fifth(values: dict[int, Any], customer: int) -> int:
        worse = sum(1 for other in values.values() if other < values[customer])
        return 1 + worse * 5 // len(values)

    def segment(customer: int) -> str:
        recency, frequency, monetary = (fifth(values, customer) for values in (last, baskets, spent))
        if recency >= 3 and frequency >= 3:
            return "CHAMPION" if min(recency, frequency, monetary) >= 4 else "LOYAL"
        if recency >= 3:
            return "NEW" if baskets[customer] == 1 else "PROMISING"
        return "AT_RISK" if frequency >= 3 else "HIBERNATING"

    return {customer: segment(customer) for customer in baskets}


@pytest.mark.parametrize("filters", [MONTH, NARROW])
def test_each_customer_is_in_the_segment_of_their_scores(session: Session, filters: Filters) -> None:
    scored = queries.scored_customers(session, filters)
    found = records(queries.segments(scored))
    expected = segments(filters)
    assert {line["SEGMENT"]: line["CUSTOMERS"] for line in found} == Counter(expected.values())
    for line in records(queries.best_customers(scored)):
        assert line["SEGMENT"] == expected[line["CUSTOMER_ID"]]


@pytest.mark.parametrize("unit", ["week", "month"])
def test_cohorts_follow_customers_from_their_first_order(session: Session, unit: str) -> None:
    def bucket(day: date) -> date:
        return day - timedelta(day.weekday()) if unit == "week" else day.replace(day=1)

    def age(start: date, day: date) -> int:
        months = (day.year - start.year) * 12 + day.month - start.month
        return (bucket(day) - start).days // 7 if unit == "week" else months

    first: dict[int, date] = {}
    for order in ORDERS:
        first[order.customer] = min(first.get(order.customer, date.max), order.day)
    expected = defaultdict(set)
    for order in ORDERS:
        start = bucket(first[order.customer])
        expected[start, age(start, order.day)].add(order.customer)
    found = records(queries.cohorts(session, MONTH, unit))
    assert {(line["COHORT"], line["AGE"]): line["CUSTOMERS"] for line in found} == {
        key: len(customers) for key, customers in expected.items()
    }


@pytest.mark.parametrize("value", ["' OR 1=1 --", "x'); DROP TABLE PRODUCTION.ORDERS; --", "\\", "é☃\n%s ?"])
def test_a_hostile_value_is_a_value_and_no_sql(session: Session, value: str) -> None:
    """PITFALLS 35."""
    hostile = replace(MONTH, categories=(value,), channels=(value,), locations=(value,))
    assert queries.sales_totals(session, hostile).empty
    assert queries.low_stock(session, hostile).empty
    assert queries.running_out(session, hostile).empty
    assert queries.movements(session, hostile).empty
    assert session.table(names.ORDERS).count() == len(ORDERS)


def test_an_empty_answer_still_has_its_columns(session: Session) -> None:
    nothing = Filters(date(2001, 1, 1), date(2001, 1, 2))
    assert queries.top_wines(session, nothing).empty
    assert list(queries.top_customers(session, nothing)) == [
        *("CUSTOMER_ID", "REVENUE", "ORDERS", "BOTTLES", "LAST_ORDER")
    ]


def test_no_statement_is_put_together_from_text() -> None:
    """PITFALLS 35: `.sql(...)` takes a constant, an invariant's text or Snowpark's own, only in `queries`."""
    app = Path(queries.__file__).parents[1]
    known = ("_TASK_HISTORY", "invariant.sql", "_union_all_of_texts(rows)", "'SELECT 1'")
    for path in app.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "sql":
                assert str(path.relative_to(app)) in ("queries/pipeline.py", "session.py")
                assert ast.unparse(node.args[0]) in known
