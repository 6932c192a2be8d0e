"""Arithmetic for the expected answers: exact, in fractions, rounded once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K")

Row = tuple[Any, ...]
NONE = "(none)"
ZERO = Decimal(0)


def ratio(part: Decimal | int, whole: Decimal | int, places: int) -> Decimal | None:
    """part / whole, half rounded away from zero; None without a whole."""
    if not whole:
        return None
    exact = Fraction(part) / Fraction(whole)
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def groups(rows: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The rows by their key."""
    found: dict[K, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def median(values: Iterable[Decimal | int]) -> Fraction:
    """The value in the middle, or half way between the two."""
    ordered = sorted(Fraction(value) for value in values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def round_fraction(value: Fraction, places: int) -> Decimal | None:
    return ratio(value.numerator, value.denominator, places)


def month(day: date) -> date:
    return day.replace(day=1)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def plain(row: Iterable[Any]) -> Row:
    """A row with one spelling for each number, so that 12, 12.0 and 12.00 are equal."""
    return tuple(Decimal(str(value)).normalize() if _is_number(value) else value for value in row)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
