"""What a late book costs."""

from __future__ import annotations

from decimal import Decimal

MOST = Decimal(20)


def late_fine(days: int | None, daily_rate: Decimal) -> Decimal | None:
    """The fine for so many days; None for a book that is not late."""
    if days is None or days <= 0:
        return None
    return min(days * daily_rate, MOST)
