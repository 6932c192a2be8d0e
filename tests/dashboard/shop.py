"""A small shop whose every row is known, and its figures computed by plain Python."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from snowflake.snowpark import Session

from caves_snowpark import names, schemas

PARIS = ZoneInfo("Europe/Paris")
LAST_DAY = date(2026, 3, 31)
DAYS = 60
CHANNELS = ("WEB", "BOUTIQUE", "L'ÉCHOPPE")
CATEGORIES = ("Rouge", "Blanc", "Rosé", None)
LOCATIONS = ("PARIS-BERCY", "LYON-CONFLUENCE", "ATLANTIS")


@dataclass(frozen=True)
class Order:
    number: str
    when: datetime
    customer: int
    product: int
    category: str | None
    channel: str
    quantity: int
    amount: Decimal

    @property
    def day(self) -> date:
        return self.when.astimezone(PARIS).date()


@dataclass(frozen=True)
class Movement:
    number: str
    when: datetime
    product: int
    category: str | None
    location: str
    change: int

    @property
    def day(self) -> date:
        return self.when.astimezone(PARIS).date()


def name_of(product: int) -> str:
    return f"=Vin d'Albert {product}"


def category_of(product: int) -> str | None:
    return CATEGORIES[product % len(CATEGORIES)]


def orders(count: int = 500) -> list[Order]:
    """Over sixty days that include the night on which the clocks change; the last is at 23:30 in Paris."""
    random = Random(7)
    end = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
    found = []
    for number in range(count):
        product = 1000 + random.randrange(60)
        when = end - timedelta(minutes=random.randrange(DAYS * 24 * 60)) if number else end
        cents = random.randrange(500, 20_000)
        quantity = random.randrange(1, 13)
        found.append(
            Order(
                f"O{number}",
                when,
                # Some customers come often, most of them once or twice.
                9000 + min(random.randrange(150), random.randrange(150)),
                product,
                category_of(product),
                random.choice(CHANNELS),
                quantity,
                Decimal(cents * quantity) / 100,
            )
        )
    return found


def movements() -> list[Movement]:
    random = Random(8)
    end = datetime(2026, 3, 31, 20, tzinfo=UTC)
    found = []
    # Two products more than are sold, and one whose stock is below nothing.
    for product in range(1000, 1062):
        for number, location in enumerate(LOCATIONS):
            for step in range(3):
                when = end - timedelta(hours=random.randrange(DAYS * 24))
                change = -40 if product == 1003 else random.randrange(1, 60)
                key = f"M{product}-{number}-{step}"
                found.append(Movement(key, when, product, category_of(product), location, change))
    return found


@dataclass(frozen=True)
class Alert:
    name: str
    subject: str
    severity: str
    details: str
    hours: int
    over: bool = False


ALERTS = (
    Alert("PIPELINE_LAG", "INGESTOR", "WARNING", '{"threshold":15}', 1),
    Alert("LOW_STOCK", "1003/ATLANTIS", "CRITICAL", '{"bottles":-120}', 3),
    Alert("REJECTED_SHARE", "EVENTS", "WARNING", '{"events":100,"rejected":20}', 2, over=True),
)
# Reasons of events that wait, and of one that was dismissed.
REJECTED = (("MISSING_EVENT_TS",), ("MISSING_EVENT_TS", "INVALID_QUANTITY"), ("NOT_JSON_OBJECT",))


def load_troubles(session: Session) -> None:
    """Alerts and rejected events, as the alerts and the first procedure would have written them."""
    alert = (
        f"INSERT INTO {names.ALERT_LOG} (ALERT_NAME, SUBJECT, SEVERITY, DETAILS, FIRED_AT, CLEARED_AT)"
        " SELECT ?, ?, ?, PARSE_JSON(?), ?, ?"
    )
    rejected = (
        f"INSERT INTO {names.REJECTED_EVENTS} (SOURCE_OFFSET, REASONS, REJECTED_AT, DISMISSED_AT)"
        " SELECT ?, PARSE_JSON(?), ?, ?"
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    with session.connection.cursor() as cursor:
        for found in ALERTS:
            fired = now - timedelta(hours=found.hours)
            cleared = now if found.over else None
            values = (found.name, found.subject, found.severity, found.details, fired, cleared)
            cursor.execute(alert, values)
        for offset, reasons in enumerate(REJECTED):
            cursor.execute(rejected, (offset, json.dumps(reasons), now, None))
        cursor.execute(rejected, (len(REJECTED), '["INVALID_QUANTITY"]', now, now))


def load(session: Session, sold: Iterable[Order], moved: Iterable[Movement]) -> None:
    """Write both straight into the production tables."""
    moved = list(moved)
    _insert(session, names.ORDERS, [_order(order) for order in sold])
    _insert(session, names.INVENTORY_HISTORY, [_movement(movement) for movement in moved])
    _insert(session, names.INVENTORY_CURRENT, _levels(moved))


def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    columns = schemas.columns(schemas.TABLES[table])
    marks = ", ".join("?" * len(columns))
    with session.connection.cursor() as cursor:
        values = [[row.get(column) for column in columns] for row in rows]
        cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)


def _order(order: Order) -> dict[str, Any]:
    return {
        "ORDER_ID": order.number,
        "ORDER_DATE": order.day,
        "ORDER_TIMESTAMP": _utc(order.when),
        "CUSTOMER_ID": order.customer,
        "PRODUCT_ID": order.product,
        "PRODUCT_NAME": name_of(order.product),
        "PRODUCT_CATEGORY": order.category,
        "QUANTITY": order.quantity,
        "UNIT_PRICE": order.amount / order.quantity,
        "TOTAL_AMOUNT": order.amount,
        "SALES_CHANNEL": order.channel,
        **dict.fromkeys(("CREATED_AT", "UPDATED_AT"), _utc(order.when)),
    }


def _movement(movement: Movement) -> dict[str, Any]:
    return {
        "ADJUSTMENT_ID": movement.number,
        "ADJUSTMENT_DATE": movement.day,
        "ADJUSTMENT_TIMESTAMP": _utc(movement.when),
        "PRODUCT_ID": movement.product,
        "PRODUCT_NAME": name_of(movement.product),
        "PRODUCT_CATEGORY": movement.category,
        "WAREHOUSE_LOCATION": movement.location,
        "QUANTITY_CHANGE": movement.change,
        "ADJUSTMENT_TYPE": "REPLENISHMENT" if movement.change > 0 else "SPOILAGE",
        **dict.fromkeys(("CREATED_AT", "UPDATED_AT"), _utc(movement.when)),
    }


def _levels(moved: Iterable[Movement]) -> list[dict[str, Any]]:
    levels: dict[tuple[int, str], list[Movement]] = defaultdict(list)
    for movement in moved:
        levels[movement.product, movement.location].append(movement)
    return [
        {
            "PRODUCT_ID": product,
            "WAREHOUSE_LOCATION": location,
            "PRODUCT_NAME": name_of(product),
            "PRODUCT_CATEGORY": category_of(product),
            "CURRENT_STOCK_LEVEL": sum(movement.change for movement in found),
            "LAST_ADJUSTMENT_TIMESTAMP": _utc(max(movement.when for movement in found)),
            "UPDATED_AT": _utc(found[0].when),
        }
        for (product, location), found in levels.items()
    ]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def between(sold: Iterable[Order], start: date, end: date) -> list[Order]:
    return [order for order in sold if start <= order.day <= end]


def revenue_by(sold: Iterable[Order], key: Callable[[Order], Any]) -> dict[Any, Decimal]:
    found: Counter[Any] = Counter()
    for order in sold:
        found[key(order)] += order.amount  # type: ignore[assignment]
    return dict(found)
