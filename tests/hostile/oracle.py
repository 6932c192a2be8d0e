"""What must become of a message, said in plain Python and without a line of the library's transforms.

The rules are those of the event contract, read again: JSON by Python's parser, numbers by Decimal, times by
the calendar.
"""

import json
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

ORDER: Final = "order"
ADJUSTMENT: Final = "adjustment"
REJECTED: Final = "rejected"
# JSON that strict parsers refuse and lenient ones take, or a number beyond DOUBLE: any outcome, but one.
OPEN: Final = "open"


@dataclass(frozen=True)
class Verdict:
    """Where a message lands, and why it is rejected."""

    lands: str
    reasons: frozenset[str] = frozenset()


class Number(str):
    """A JSON number as it was written."""


NOT_AN_EVENT: Final = Verdict(REJECTED, frozenset({"NOT_JSON_OBJECT"}))
_LENIENT: Final = re.compile(rb",\s*[}\]]|nan|inf", re.IGNORECASE)

_TEXTS: Final = ("product_name", "category", "source_service")
_ORDER_TEXTS: Final = ("sales_channel", "payment_method", "shipping_address")
# Digits before and after the point, least value, whether zero is one.
_NUMBERS: Final[Mapping[str, tuple[int, int, int | None, bool]]] = {
    "customer_id": (18, 0, None, True),
    "product_id": (18, 0, None, True),
    "quantity": (9, 0, 1, True),
    "quantity_change": (9, 0, None, False),
    "unit_price": (10, 2, 0, True),
    "discount": (10, 2, None, True),
    "total_price": (10, 2, None, True),
    "bottle_size_l": (3, 3, None, True),
}
_KINDS: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "ORDER_CREATED": (
        ORDER,
        ("order_line_id", "event_ts", "customer_id", "product_id", "quantity", "unit_price"),
        ("discount", "total_price", "bottle_size_l", *_TEXTS, *_ORDER_TEXTS),
    ),
    "INVENTORY_ADJUSTED": (
        ADJUSTMENT,
        ("event_id", "event_ts", "product_id", "quantity_change", "adjustment_type", "warehouse_location"),
        ("reason", *_TEXTS),
    ),
}


class _DuplicateKeyError(ValueError):
    pass


def verdict(value: bytes | None) -> Verdict:
    """The one verdict on a message, on every engine."""
    try:
        event = parsed(value)
    except RecursionError:
        return Verdict(OPEN)
    except _DuplicateKeyError:
        # Snowflake looks at every level, the local warehouse at the first.
        return Verdict(OPEN)
    except ValueError:
        return Verdict(OPEN) if value and _LENIENT.search(value) else NOT_AN_EVENT
    if not isinstance(event, dict):
        return NOT_AN_EVENT
    return _judged(event)


class _Object(dict[str, Any]):
    """A JSON object, and whether a key stands in it twice."""

    repeated = False


def parsed(value: bytes | None) -> Any:
    """The JSON value, numbers as written; ValueError where there is none."""
    objects: list[_Object] = []

    def made(pairs: list[tuple[str, Any]]) -> _Object:
        objects.append(_Object(pairs))
        objects[-1].repeated = len(objects[-1]) < len(pairs)
        return objects[-1]

    event = json.loads(
        (value or b"").decode(),
        parse_int=Number,
        parse_float=Number,
        parse_constant=_refuse,
        object_pairs_hook=made,
    )
    # A half of a surrogate pair is no text.
    json.dumps(event, ensure_ascii=False).encode()
    if isinstance(event, _Object) and event.repeated:
        raise ValueError("a key stands twice")
    if any(each.repeated for each in objects):
        raise _DuplicateKeyError
    return event


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _judged(event: dict[str, Any]) -> Verdict:
    kind = event.get("event_type")
    if _is_missing(kind):
        return Verdict(REJECTED, frozenset({"MISSING_EVENT_TYPE"}))
    if not isinstance(kind, str) or isinstance(kind, Number) or kind not in _KINDS:
        return Verdict(REJECTED, frozenset({"UNKNOWN_EVENT_TYPE"}))
    lands, required, optional = _KINDS[kind]
    if any(_is_read_in_two_ways(name, event.get(name)) for name in _NUMBERS):
        return Verdict(OPEN)
    reasons = {f"MISSING_{name.upper()}" for name in required if _is_missing(event.get(name))}
    present = [name for name in (*required, *optional) if not _is_missing(event.get(name))]
    reasons |= {f"INVALID_{name.upper()}" for name in present if not _is_valid(name, event[name])}
    if lands == ORDER and "total_price" not in present:
        quantity, price = _value("quantity", event), _value("unit_price", event)
        if quantity is not None and price is not None and abs(quantity * price) >= 10**10:
            reasons.add("INVALID_TOTAL_PRICE")
    return Verdict(REJECTED, frozenset(reasons)) if reasons else Verdict(lands)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(" "))


def _is_read_in_two_ways(name: str, value: Any) -> bool:
    """Whether it matters if a parser keeps a number's digits or makes a DOUBLE of it."""
    if not isinstance(value, Number) or value.lstrip("-").isdigit():
        # Every parser keeps the digits of an integer as long as any column has room for it.
        return False
    return exact(value, *_NUMBERS[name]) != exact(repr(float(value)), *_NUMBERS[name])


def _is_valid(name: str, value: Any) -> bool:
    if name in _NUMBERS:
        return isinstance(value, str) and exact(value, *_NUMBERS[name]) is not None
    if name == "event_ts":
        return isinstance(value, str) and is_instant(value)
    return isinstance(value, str) and not isinstance(value, Number)


def _value(name: str, event: Mapping[str, Any]) -> Decimal | None:
    value = event.get(name)
    return exact(value, *_NUMBERS[name]) if isinstance(value, str) else None


_PLAIN: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_SCIENTIFIC: Final = re.compile(r"[-+]?[0-9](\.[0-9]{1,15})?[eE][-+]?[0-9]{1,2}")


def exact(text: str, whole: int, scale: int, least: int | None, may_be_zero: bool) -> Decimal | None:
    """The number that the text spells, if a column with so many digits has it exactly."""
    if not (_PLAIN.fullmatch(text) or _SCIENTIFIC.fullmatch(text)):
        return None
    number = Decimal(text)
    if abs(number) >= 10**whole or (least is not None and number < least) or not (number or may_be_zero):
        return None
    digits = number.as_tuple()
    beyond = -int(digits.exponent) - scale
    return None if beyond > 0 and any(digits.digits[-beyond:]) else number


_INSTANT: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[tT]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?"
    r"(?:[zZ]|[-+]([0-9]{2})(?::?([0-9]{2}))?)"
)


def is_instant(text: str) -> bool:
    """Whether it is an ISO 8601 time with an offset, of the years that every engine can hold."""
    if not (match := _INSTANT.fullmatch(text)):
        return False
    year, month, day, hour, minute, second, ahead, minutes = (int(part or 0) for part in match.groups())
    if not (1970 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return False
    return hour < 24 and minute < 60 and second < 60 and ahead < 15 and minutes < 60
