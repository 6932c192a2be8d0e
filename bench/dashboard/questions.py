"""Every question of the dashboard: asked as it asks it, and by hand in the DuckDB file of the same shop.

By hand is one file of bench/dashboard/by_hand for each, on the tables alone: what a view holds is written
out. Two are left out: the runs of tasks, of which DuckDB has none, and the invariants, which above 100,000
raw events the page looks at only when told to.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
from snowflake.snowpark import Session

from dashboard import queries
from dashboard.filters import Address, Choices, Filters
from ingest.catalogue import FIRST_PRODUCT_ID

_BY_HAND: Final = Path(__file__).with_name("by_hand")
_PARAMETER: Final = re.compile(r"\$(\w+)")

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Period:
    """Days that a person looks at, and what questions are asked about them."""

    name: str
    choices: Choices
    filters: Filters
    today: date

    @property
    def parameters(self) -> dict[str, Any]:
        """What statements by hand may name."""
        return {
            "start": self.filters.start,
            "end": self.filters.end,
            "before": self.filters.before,
            "before_until": self.filters.before_until,
            "today": self.today,
            "unit": queries.bucket(self.filters),
            "cohort": queries.cohort_unit(self.choices.first, self.filters),
            "product": FIRST_PRODUCT_ID,
        }


def period(choices: Choices, today: date, name: str) -> Period:
    return Period(name, choices, Address(name).filters(choices), today)


@dataclass(frozen=True)
class Question:
    """One function of dashboard.queries."""

    page: str
    name: str
    # Whether the answer depends on the period.
    has_period: bool
    ask: Callable[[Session, Period], Any]

    def ours(self, session: Session, period: Period) -> list[Row]:
        return _rows(self.ask(session, period))

    def by_hand(self, duck: duckdb.DuckDBPyConnection, period: Period) -> list[Row]:
        found: list[Row] = []
        for statement in (_BY_HAND / f"{self.name}.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                named = {name: period.parameters[name] for name in _PARAMETER.findall(statement)}
                found += duck.execute(statement, named).fetchall()
        return found


def comparable(rows: list[Row]) -> list[Row]:
    """The same rows whatever types, order and number of answers they came in."""
    return sorted((tuple(map(_comparable, row)) for row in rows), key=repr)


def _comparable(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        # An average has more digits in one engine than in the other.
        return round(Decimal(value), 5).normalize()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _rows(answer: Any) -> list[Row]:
    if isinstance(answer, pd.DataFrame):
        return list(answer.itertuples(index=False, name=None))
    return list(answer)


def _choices(session: Session, period: Period) -> list[Row]:
    found = queries.choices(session, period.today)
    assert found is not None
    lists = (found.categories, found.channels, found.locations)
    return [
        (found.first, found.last),
        (found.last_order,),
        *((value,) for values in lists for value in values),
    ]


def _stock_totals(session: Session, period: Period) -> list[Row]:
    found = queries.stock_totals(session, period.filters)
    return [(found["BOTTLES"], found["PRODUCTS"]), (found["LOW"], found["CRITICAL"]), (found["SOON"],)]


def _products(session: Session, period: Period) -> list[Row]:
    return list(queries.products(session, period.filters).items())


def _health(session: Session, _: Period) -> list[Row]:
    found = queries.health(session)
    times = {
        name.lower(): (table["rows"], _time(table["latest_write"]), _time(table["latest_event"]))
        for name, table in found["tables"].items()
        if table["rows"]
    }
    counts = {name.lower(): rows for name, rows in found["streams"].items()} | found["offsets"]
    return [
        *((name, *columns) for name, columns in times.items()),
        *((name, rows, None, None) for name, rows in (counts | found["rejected"]).items()),
    ]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.removesuffix("Z")) if text else None


def _filtered(question: Callable[..., Any], *arguments: Any) -> Callable[[Session, Period], Any]:
    return lambda session, period: question(session, period.filters, *arguments)


def _unfiltered(question: Callable[[Session], Any]) -> Callable[[Session, Period], Any]:
    return lambda session, _: question(session)


def _alerts(session: Session, _: Period) -> Any:
    return queries.alerts(session)


def _number(question: Callable[[Session], int], session: Session, _: Period) -> list[Row]:
    return [(question(session),)]


QUESTIONS: Final = (
    Question("sidebar", "choices", False, _choices),
    Question("sales", "sales_totals", True, _filtered(queries.sales_totals)),
    Question("sales", "revenue_over_time", True, _filtered(queries.revenue_over_time)),
    Question("sales", "revenue_by_product_category", True, _filtered(queries.revenue_by, "PRODUCT_CATEGORY")),
    Question("sales", "revenue_by_sales_channel", True, _filtered(queries.revenue_by, "SALES_CHANNEL")),
    Question("sales", "revenue_by_hour", True, _filtered(queries.revenue_by_hour)),
    Question("sales", "top_wines", True, _filtered(queries.top_wines)),
    Question("sales", "top_customers", True, _filtered(queries.top_customers)),
    Question("customers", "customer_totals", True, _filtered(queries.customer_totals)),
    Question("customers", "scored_customers", True, _filtered(queries.scored_customers)),
    Question(
        "customers", "cohorts", False, lambda s, p: queries.cohorts(s, p.filters, p.parameters["cohort"])
    ),
    Question("stock", "stock_totals", False, _stock_totals),
    Question("stock", "stock_levels", False, _filtered(queries.stock_levels)),
    Question("stock", "low_stock", False, _filtered(queries.low_stock)),
    Question("stock", "running_out", False, _filtered(queries.running_out)),
    Question("stock", "products", False, _products),
    Question("stock", "running_balance", True, _filtered(queries.running_balance, FIRST_PRODUCT_ID)),
    Question("stock", "movements", True, _filtered(queries.movements)),
    Question("pipeline", "health", False, _health),
    Question("pipeline", "alerts", False, _alerts),
    Question("pipeline", "open_alerts", False, partial(_number, queries.open_alerts)),
    Question("pipeline", "waiting_rejected", False, partial(_number, queries.waiting_rejected)),
)
