"""What several runs of the producer must come to in one warehouse."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from ingest.truth import Truth

Key = TypeVar("Key", bound=Hashable)

NOTHING = Truth(0, 0, 0, 0, 0, {}, 0, {})


def together(first: Truth, second: Truth) -> Truth:
    """The sum of two runs of different seeds: no event of one is an event of the other."""
    return Truth(
        events_produced=first.events_produced + second.events_produced,
        orders=first.orders + second.orders,
        corrections=first.corrections + second.corrections,
        adjustments=first.adjustments + second.adjustments,
        duplicates=first.duplicates + second.duplicates,
        bad=_sum(first.bad, second.bad),
        expected_revenue_cents=first.expected_revenue_cents + second.expected_revenue_cents,
        expected_stock=_sum(first.expected_stock, second.expected_stock),
    )


def redelivered(truth: Truth) -> Truth:
    """The same bytes sent once more: what was valid is a duplicate now, and what was bad is bad again."""
    return Truth(
        events_produced=truth.events_produced,
        orders=0,
        corrections=0,
        adjustments=0,
        duplicates=truth.order_events + truth.adjustments + truth.duplicates,
        bad=truth.bad,
        expected_revenue_cents=0,
        expected_stock={},
    )


def _sum(first: Mapping[Key, int], second: Mapping[Key, int]) -> dict[Key, int]:
    """Key by key; a stock of zero stays, because its row does."""
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}
