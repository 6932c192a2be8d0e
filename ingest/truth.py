"""What a run of the producer sent, and so what the warehouse must hold when everything has flowed through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Truth:
    """The sum of one run.

    A correction is a further version of an order, so it counts in `order_events` and not in `orders`; a
    duplicate is an earlier valid event sent again byte for byte, and changes nothing.
    """

    events_produced: int
    orders: int
    corrections: int
    adjustments: int
    duplicates: int
    bad: Mapping[str, int]
    expected_revenue_cents: int
    expected_stock: Mapping[tuple[int, str], int]

    @property
    def order_events(self) -> int:
        """Rows of STG_ORDERS."""
        return self.orders + self.corrections

    @property
    def rejected(self) -> int:
        return sum(self.bad.values())

    def as_json(self) -> dict[str, Any]:
        """For a report: plain keys and values, stock as a list because JSON has no pairs for keys."""
        return {
            "events_produced": self.events_produced,
            "orders": self.orders,
            "corrections": self.corrections,
            "adjustments": self.adjustments,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "bad": dict(self.bad),
            "expected_revenue_cents": self.expected_revenue_cents,
            "expected_stock": [
                {"product_id": product_id, "warehouse_location": location, "stock": stock}
                for (product_id, location), stock in sorted(self.expected_stock.items())
            ],
        }
