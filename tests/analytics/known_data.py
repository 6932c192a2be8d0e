"""A handful of rows whose every figure can be worked out by hand, and their way into the tables.

What is special: an order at 23:30 in Paris on the last day of a month; a customer with two orders on one day;
two customers and two products with equal figures; lines without category, channel or discount; a product
that was never sold and one that was never stocked; a shelf at zero and one below; an order dated far in the
future; a movement that arrived after a later one; stock movements at the same moment.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from caves_snowpark import names

PARIS = ZoneInfo("Europe/Paris")


def paris_day(moment: datetime) -> date:
    """The business date of a time in UTC."""
    return moment.replace(tzinfo=UTC).astimezone(PARIS).date()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Order:
    """A row of PRODUCTION.ORDERS, and of STAGING.STG_ORDERS at `staged`."""

    order_id: str
    at: datetime
    customer: int
    product: int
    quantity: int
    price: Decimal
    name: str | None = "wine"
    category: str | None = "Rouge"
    channel: str | None = "WEB"
    payment: str | None = "CARTE"
    discount: Decimal | None = None
    total_amount: Decimal | None = None
    size: Decimal | None = Decimal("0.750")
    staged: datetime = datetime(2025, 8, 1, 8, 0)

    @property
    def day(self) -> date:
        return paris_day(self.at)

    @property
    def month(self) -> date:
        return self.day.replace(day=1)

    @property
    def hour(self) -> int:
        return self.at.replace(tzinfo=UTC).astimezone(PARIS).hour

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity if self.total_amount is None else self.total_amount


@dataclass(frozen=True)
class Movement:
    """A row of PRODUCTION.INVENTORY_HISTORY, and of STAGING.STG_INVENTORY_ADJUSTMENTS."""

    key: str
    at: datetime
    product: int
    location: str
    change: int
    kind: str = "REPLENISHMENT"
    offset: int = 0
    name: str | None = "wine"
    category: str | None = "Rouge"
    reason: str | None = None
    staged: datetime = datetime(2025, 8, 1, 8, 0)

    @property
    def day(self) -> date:
        return paris_day(self.at)


@dataclass(frozen=True)
class Rejected:
    """A row of STAGING.REJECTED_EVENTS."""

    reasons: tuple[str, ...]
    at: datetime
    replayed: datetime | None = None
    dismissed: datetime | None = None


@dataclass(frozen=True)
class Known:
    """Everything that lies in the tables."""

    orders: list[Order] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    duplicates: list[datetime] = field(default_factory=list)
    versions: list[Order] = field(default_factory=list)
    """Earlier versions of orders, that only staging remembers."""

    @property
    def levels(self) -> dict[tuple[int, str], int]:
        levels: dict[tuple[int, str], int] = defaultdict(int)
        for movement in self.movements:
            levels[movement.product, movement.location] += movement.change
        return dict(levels)

    @property
    def staged_orders(self) -> list[Order]:
        return [*self.versions, *self.orders]

    @property
    def as_of(self) -> date:
        """The latest business date with an order that is not in the future."""
        today = datetime.now(PARIS).date()
        return max((order.day for order in self.orders if order.day <= today), default=today)


def _money(text: str) -> Decimal:
    return Decimal(text)


def _orders() -> list[Order]:
    white: dict[str, Any] = {"name": "Sancerre", "category": "Blanc"}
    red: dict[str, Any] = {"name": "Pauillac", "category": "Rouge"}
    fizz: dict[str, Any] = {"name": "Crémant", "category": "Effervescent", "size": Decimal("1.500")}
    odd: dict[str, Any] = {"name": None, "category": None, "channel": None, "payment": None, "size": None}
    late = datetime(2025, 8, 2, 8, 0)
    return [
        # A Monday in June; two lines of one customer at the same moment are one basket.
        Order("o01", utc("2025-06-02T08:15:00"), 1, 101, 2, _money("42.00"), **red),
        Order("o02", utc("2025-06-02T08:15:00"), 1, 102, 1, _money("19.90"), channel="BOUTIQUE", **white),
        Order("o03", utc("2025-06-02T16:40:00"), 2, 101, 1, _money("42.00"), channel="BOUTIQUE", **red),
        # Came often and long ago.
        Order("o16", utc("2025-06-03T09:00:00"), 9, 101, 1, _money("42.00"), channel="BOUTIQUE", **red),
        Order("o17", utc("2025-06-04T09:00:00"), 9, 102, 1, _money("19.90"), channel="BOUTIQUE", **white),
        # A week on, with equal value for customers 3 and 4, and for products 103 and 104.
        Order("o04", utc("2025-06-09T10:00:00"), 3, 103, 3, _money("10.00"), **white),
        Order("o05", utc("2025-06-09T10:30:00"), 4, 104, 3, _money("10.00"), **red),
        # 23:30 in Paris on 30 June, and half an hour later, which is July; in UTC both are June.
        Order("o06", utc("2025-06-30T21:30:00"), 1, 101, 1, _money("45.00"), channel="WEB", **red),
        Order("o07", utc("2025-06-30T22:00:00"), 2, 102, 6, _money("18.95"), discount=_money("5.69"),
              total_amount=_money("108.01"), **white),
        Order("o08", utc("2025-07-12T17:05:00"), 5, 105, 12, _money("11.05"), channel="TELEPHONE", **fizz),
        Order("o09", utc("2025-07-13T12:00:00"), 1, 102, 2, _money("18.95"), payment="PAYPAL", **white),
        # Without any of the optional fields, free of charge.
        Order("o10", utc("2025-07-13T12:05:00"), 6, 106, 1, _money("0.00"), **odd),
        # Sells faster than it is filled up.
        Order("o18", utc("2025-07-20T09:00:00"), 5, 108, 12, _money("3.00"), name="Chinon"),
        Order("o11", utc("2025-07-26T23:10:00"), 2, 101, 1, _money("42.00"), staged=late, **red),
        Order("o12", utc("2025-07-27T09:00:00"), 2, 102, 1, _money("18.95"), staged=late, **white),
        Order("o13", utc("2025-07-27T19:45:00"), 1, 105, 1, _money("10.10"), discount=_money("0.00"),
              staged=late, **fizz),
        Order("o14", utc("2025-07-28T19:45:00"), 7, 105, 1, _money("0.05"), staged=late, **fizz),
        Order("o15", utc("2099-01-01T12:00:00"), 8, 101, 1, _money("42.00"), staged=late, **red),
    ]  # fmt: skip


def _movements() -> list[Movement]:
    late = datetime(2025, 8, 2, 8, 0)
    spirit: dict[str, Any] = {"name": "Cognac", "category": "Spiritueux"}
    fizz: dict[str, Any] = {"name": "Crémant", "category": "Effervescent"}
    nameless: dict[str, Any] = {"name": None, "category": None}
    red: dict[str, Any] = {"name": "Pauillac", "category": "Rouge"}
    white: dict[str, Any] = {"name": "Sancerre", "category": "Blanc"}
    return [
        Movement("m01", utc("2025-06-01T06:00:00"), 101, "PARIS", 60, offset=1, **red),
        # Arrived last, happened second.
        Movement("m02", utc("2025-06-01T07:00:00"), 101, "PARIS", -5, "SPOILAGE", 9, staged=late, **red),
        Movement("m03", utc("2025-06-15T07:00:00"), 101, "PARIS", -7, "CORRECTION", 3, reason="count", **red),
        # At the same moment: the order of their offsets counts.
        Movement("m05", utc("2025-06-01T06:00:00"), 101, "LYON", -3, "CORRECTION", 4, **red),
        Movement("m04", utc("2025-06-01T06:00:00"), 101, "LYON", 12, offset=5, **red),
        Movement("m06", utc("2025-06-30T22:30:00"), 102, "PARIS", 20, offset=6, **white),
        Movement("m07", utc("2025-07-01T10:00:00"), 102, "LYON", 4, offset=7, **white),
        Movement("m08", utc("2025-07-02T10:00:00"), 102, "LYON", -4, "SPOILAGE", 8, reason="broken", **white),
        Movement("m13", utc("2025-07-05T10:00:00"), 108, "LYON", 1, offset=14, name="Chinon"),
        # Never sold.
        Movement("m09", utc("2025-07-01T10:00:00"), 107, "DIJON", 300, offset=10, **spirit),
        # Below zero at last.
        Movement("m10", utc("2025-07-03T10:00:00"), 103, "DIJON", -2, "CORRECTION", 11, **nameless),
        Movement("m11", utc("2025-07-04T10:00:00"), 105, "PARIS", 24, offset=12, **fizz),
        Movement("m12", utc("2025-07-05T10:00:00"), 104, "PARIS", 10, offset=13, **red),
    ]  # fmt: skip


KNOWN = Known(
    orders=_orders(),
    movements=_movements(),
    rejected=[
        Rejected(("MISSING_QUANTITY", "INVALID_UNIT_PRICE"), utc("2025-08-01T08:00:00")),
        Rejected(("MISSING_QUANTITY",), utc("2025-08-01T21:59:59"), replayed=utc("2025-08-02T09:00:00")),
        # Half past midnight in Paris.
        Rejected(("NOT_A_JSON_OBJECT",), utc("2025-08-01T22:30:00")),
        Rejected(("NOT_A_JSON_OBJECT",), utc("2025-08-05T10:00:00"), dismissed=utc("2025-08-05T11:00:00")),
    ],
    duplicates=[utc("2025-08-01T08:00:00"), utc("2025-08-01T23:00:00")],
    versions=[Order("o01", utc("2025-06-02T08:00:00"), 1, 101, 1, Decimal("42.00"), "Pauillac", "Rouge")],
)
EMPTY = Known()


def statements(known: Known) -> Iterable[str]:
    """INSERTs that put everything into the tables of an empty warehouse."""
    yield from _insert(names.ORDERS, [_order_row(order) for order in known.orders])
    yield from _insert(names.INVENTORY_HISTORY, [_movement_row(movement) for movement in known.movements])
    yield from _insert(names.INVENTORY_CURRENT, _shelf_rows(known))
    yield from _insert(names.STG_ORDERS, [_staged_order_row(order) for order in known.staged_orders])
    yield from _insert(
        names.STG_INVENTORY_ADJUSTMENTS, [_staged_movement_row(movement) for movement in known.movements]
    )
    for each in known.rejected:
        times = [_sql(value) for value in (each.at, each.replayed, each.dismissed)]
        yield (
            f"INSERT INTO {names.REJECTED_EVENTS} (REASONS, REJECTED_AT, REPLAYED_AT, DISMISSED_AT)"
            f" SELECT PARSE_JSON('{json.dumps(each.reasons)}'), {', '.join(times)}"
        )
    yield from _insert(names.DUPLICATE_EVENTS, [{"DETECTED_AT": moment} for moment in known.duplicates])


def _insert(table: str, rows: list[dict[str, Any]]) -> Iterable[str]:
    if rows:
        values = ", ".join("(" + ", ".join(_sql(value) for value in row.values()) + ")" for row in rows)
        yield f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}"


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str | date):
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)


def _sale(order: Order) -> dict[str, Any]:
    return {
        "ORDER_ID": order.order_id,
        "CUSTOMER_ID": order.customer,
        "PRODUCT_ID": order.product,
        "PRODUCT_NAME": order.name,
        "PRODUCT_CATEGORY": order.category,
        "QUANTITY": order.quantity,
        "UNIT_PRICE": order.price,
        "DISCOUNT": order.discount,
        "TOTAL_AMOUNT": order.total,
        "SALES_CHANNEL": order.channel,
        "PAYMENT_METHOD": order.payment,
        "BOTTLE_SIZE_L": order.size,
    }


def _order_row(order: Order) -> dict[str, Any]:
    dates = {"ORDER_DATE": order.day, "ORDER_TIMESTAMP": order.at}
    return {**_sale(order), **dates, "CREATED_AT": order.staged, "UPDATED_AT": order.staged}


def _staged_order_row(order: Order) -> dict[str, Any]:
    hash_ = f"{order.order_id} {order.quantity}"
    return {
        **_sale(order), "EVENT_TIMESTAMP": order.at, "CONTENT_HASH": hash_, "STAGED_AT": order.staged,
    }  # fmt: skip


def _move(movement: Movement) -> dict[str, Any]:
    return {
        "ADJUSTMENT_ID": movement.key,
        "PRODUCT_ID": movement.product,
        "PRODUCT_NAME": movement.name,
        "PRODUCT_CATEGORY": movement.category,
        "WAREHOUSE_LOCATION": movement.location,
        "QUANTITY_CHANGE": movement.change,
        "ADJUSTMENT_TYPE": movement.kind,
        "REASON": movement.reason,
        "SOURCE_PARTITION": 0,
        "SOURCE_OFFSET": movement.offset,
    }


def _movement_row(movement: Movement) -> dict[str, Any]:
    dates = {"ADJUSTMENT_DATE": movement.day, "ADJUSTMENT_TIMESTAMP": movement.at}
    return {**_move(movement), **dates, "CREATED_AT": movement.staged, "UPDATED_AT": movement.staged}


def _staged_movement_row(movement: Movement) -> dict[str, Any]:
    times = {"EVENT_TIMESTAMP": movement.at, "STAGED_AT": movement.staged}
    return {**_move(movement), **times, "CONTENT_HASH": movement.key}


def _shelf_rows(known: Known) -> list[dict[str, Any]]:
    rows = []
    for (product, location), level in known.levels.items():
        here = [each for each in known.movements if (each.product, each.location) == (product, location)]
        latest = max(here, key=lambda each: (each.at, each.offset))
        rows.append(
            {
                "PRODUCT_ID": product,
                "WAREHOUSE_LOCATION": location,
                "PRODUCT_NAME": latest.name,
                "PRODUCT_CATEGORY": latest.category,
                "CURRENT_STOCK_LEVEL": level,
                "LAST_ADJUSTMENT_TIMESTAMP": latest.at,
                "UPDATED_AT": max(each.staged for each in here),
            }
        )
    return rows
