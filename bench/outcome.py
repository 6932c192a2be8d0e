"""What a pipeline holds when a bench has run, to be compared with what it must hold."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ingest.truth import Truth


@dataclass(frozen=True)
class Outcome:
    """Rows of each table, revenue to the cent, and the stock of each product and place."""

    staged_orders: int
    staged_adjustments: int
    rejected: int
    duplicates: int
    orders: int
    history: int
    revenue_cents: int
    stock: Mapping[tuple[int, str], int]


def expected(truth: Truth) -> Outcome:
    return Outcome(
        staged_orders=truth.order_events,
        staged_adjustments=truth.adjustments,
        rejected=truth.rejected,
        duplicates=truth.duplicates,
        orders=truth.orders,
        history=truth.adjustments,
        revenue_cents=truth.expected_revenue_cents,
        stock=dict(truth.expected_stock),
    )


def require(contestant: str, found: Outcome, truth: Truth) -> None:
    """A wrong answer is no figure, however fast it came."""
    wanted = expected(truth)
    for field in fields(Outcome):
        got, right = getattr(found, field.name), getattr(wanted, field.name)
        if got != right:
            shown = f"{got:,} instead of {right:,}" if isinstance(got, int) else "another stock"
            raise SystemExit(f"{contestant} has {shown} in {field.name}: no figure counts")
