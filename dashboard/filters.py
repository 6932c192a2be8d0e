"""What a person looks at: a period and lists of categories, channels and locations, as an address has them.

An address is typed, shared and forged by anyone, so each value is checked against what the warehouse holds. A
value that is not among it is left out, and its name is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

ALL: Final = "all"
CUSTOM: Final = "custom"
# The period's name in the address, and its length.
DAYS: Final = {"3d": 3, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
PERIODS: Final = (*DAYS, ALL, CUSTOM)
# Tried in this order: the first that has a whole period before it to be compared with.
_DEFAULTS: Final = ("30d", "7d", "3d")


@dataclass(frozen=True)
class Choices:
    """What there is to choose from: the days that have orders or movements, and the values of each list."""

    first: date
    last: date
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    # The latest order, by the clock on the wall: how far the last day has come.
    last_order: datetime | None = None

    @property
    def default_period(self) -> str:
        """What an address means that names no period: a month, less in a young shop."""
        days = (self.last - self.first).days + 1
        return next((name for name in _DEFAULTS if 2 * DAYS[name] <= days), _DEFAULTS[0])


@dataclass(frozen=True)
class Filters:
    """Days from `start` to `end`, both counted; an empty list means all."""

    start: date
    end: date
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    # How far the last day has come, where it is not over.
    until: datetime | None = None

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def before(self) -> date:
        """The first day of the period before, which is as long and ends the day before this one starts."""
        return self.start - timedelta(self.days)

    @property
    def before_until(self) -> datetime | None:
        """How far the period before is counted: a morning is not held against a whole day."""
        return self.until and self.until - timedelta(self.days)


@dataclass(frozen=True)
class Address:
    """The part of an address that is understood."""

    period: str
    start: date | None = None
    end: date | None = None
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    product: int | None = None
    # The parameters that hold something else, by name.
    ignored: tuple[str, ...] = field(default=(), compare=False)

    def filters(self, choices: Choices) -> Filters:
        """The period in days, counted back from the last day that has data."""
        start, end = choices.first, choices.last
        if self.period in DAYS:
            start = end - timedelta(DAYS[self.period] - 1)
        elif self.period == CUSTOM and self.start and self.end:
            start, end = self.start, self.end
        until = choices.last_order if end == choices.last else None
        return Filters(start, end, self.categories, self.channels, self.locations, until)

    def with_product(self, product: int | None) -> "Address":
        return self if product is None else replace(self, product=product)

    def parameters(self, choices: Choices) -> dict[str, str | list[str]]:
        """The address again; what is as it would be anyway is left out."""
        found: dict[str, str | list[str]] = {}
        if self.period != choices.default_period:
            found["period"] = self.period
        if self.period == CUSTOM and self.start and self.end:
            found |= {"from": self.start.isoformat(), "to": self.end.isoformat()}
        lists = {"category": self.categories, "channel": self.channels, "location": self.locations}
        found |= {name: list(values) for name, values in lists.items() if values}
        if self.product is not None:
            found["product"] = str(self.product)
        return found


def read_address(parameters: Mapping[str, Sequence[str]], choices: Choices) -> Address:
    """What the parameters say, as far as the warehouse has it."""
    ignored = [
        name
        for name, known in (
            ("category", choices.categories),
            ("channel", choices.channels),
            ("location", choices.locations),
        )
        if not set(parameters.get(name, ())) <= set(known)
    ]
    period = _only(parameters, "period") or choices.default_period
    start, end = _day(_only(parameters, "from")), _day(_only(parameters, "to"))
    product = _number(_only(parameters, "product"))
    if period not in PERIODS or (period == CUSTOM and not (start and end and start <= end)):
        ignored.append("period")
        period, start, end = choices.default_period, None, None
    if product is None and parameters.get("product"):
        ignored.append("product")
    return Address(
        period,
        start,
        end,
        _known(parameters, "category", choices.categories),
        _known(parameters, "channel", choices.channels),
        _known(parameters, "location", choices.locations),
        product,
        tuple(ignored),
    )


def _known(parameters: Mapping[str, Sequence[str]], name: str, known: Sequence[str]) -> tuple[str, ...]:
    wanted = set(parameters.get(name, ()))
    return tuple(value for value in known if value in wanted)


def _only(parameters: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = parameters.get(name, ())
    return values[-1] if values else None


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    # Snowflake's own range is far wider; a shop's is not.
    return found if 1900 <= found.year <= 2200 else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
