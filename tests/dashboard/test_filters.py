"""Addresses in, filters out."""

from datetime import date, timedelta

import pytest

from dashboard.filters import Address, Choices, Filters, read_address

CHOICES = Choices(date(2026, 1, 1), date(2026, 3, 31), ("Blanc", "Rouge"), ("WEB",), ("PARIS-BERCY",))


def test_what_is_written_into_an_address_is_read_from_it() -> None:
    address = Address(
        *("custom", date(2026, 2, 1), date(2026, 2, 28)), ("Rouge",), ("WEB",), ("PARIS-BERCY",), product=1001
    )
    written = address.parameters(CHOICES)
    parameters = {name: [value] if isinstance(value, str) else value for name, value in written.items()}
    assert read_address(parameters, CHOICES) == address
    assert Address("30d").parameters(CHOICES) == {}


def test_a_period_counts_back_from_the_last_day_and_is_compared_with_the_one_before() -> None:
    week = Address("7d").filters(CHOICES)
    assert (week.start, week.end, week.before) == (date(2026, 3, 25), date(2026, 3, 31), date(2026, 3, 18))
    everything = Address("all").filters(CHOICES)
    assert (everything.start, everything.end) == (CHOICES.first, CHOICES.last)
    assert Filters(date(2026, 3, 1), date(2026, 3, 1)).days == 1


@pytest.mark.parametrize(("days", "period"), [(1, "30d"), (6, "3d"), (14, "7d"), (59, "7d"), (60, "30d")])
def test_a_young_shop_starts_with_a_period_that_can_be_compared(days: int, period: str) -> None:
    choices = Choices(date(2026, 3, 31) - timedelta(days - 1), date(2026, 3, 31))
    assert choices.default_period == period
    assert read_address({}, choices).period == period


@pytest.mark.parametrize(
    ("parameters", "ignored"),
    [
        ({"category": ["Rouge", "' OR 1=1"]}, ("category",)),
        ({"channel": ["<script>"]}, ("channel",)),
        ({"location": [""]}, ("location",)),
        ({"period": ["1 DAY; DROP"]}, ("period",)),
        ({"period": ["custom"], "from": ["2026-02-30"], "to": ["2026-03-01"]}, ("period",)),
        ({"period": ["custom"], "from": ["2026-03-02"], "to": ["2026-03-01"]}, ("period",)),
        ({"period": ["custom"], "from": ["0001-01-01"], "to": ["9999-12-31"]}, ("period",)),
        ({"product": ["1e9"]}, ("product",)),
        ({"product": ["²"]}, ("product",)),
        ({"product": ["9" * 5000]}, ("product",)),
    ],
)
def test_what_an_address_may_not_say_is_left_out_and_named(
    parameters: dict[str, list[str]], ignored: tuple[str, ...]
) -> None:
    """PITFALLS 35."""
    found = read_address(parameters, CHOICES)
    assert found.ignored == ignored
    assert found.period == "30d"
    assert found.product is None
    assert set(found.categories) <= {"Rouge"}
