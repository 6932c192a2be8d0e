"""Numbers as a language writes them."""

from datetime import date, datetime
from decimal import Decimal

import pandas as pd

from dashboard.blocks import csv
from dashboard.formats import Formats

FRENCH, ENGLISH = Formats("fr"), Formats("en")


def test_money_has_its_cents_and_its_sign() -> None:
    amount = Decimal("1234567.5")
    assert FRENCH.money(amount) == "1\u202f234\u202f567,50\u00a0€"
    assert ENGLISH.money(amount) == "€1,234,567.50"
    assert ENGLISH.money(Decimal("-0.5")) == "-€0.50"
    assert FRENCH.money(None) == ""


def test_money_is_rounded_half_away_from_zero_as_the_warehouse_does() -> None:
    assert ENGLISH.money(Decimal("2.345")) == "€2.35"
    assert ENGLISH.number(Decimal("-0.4")) == "0"


def test_a_change_has_a_sign_and_nothing_to_compare_with_has_no_change() -> None:
    """PITFALLS 8."""
    assert FRENCH.change(110, 100) == "+10,0\u00a0%"
    assert ENGLISH.change(Decimal(75), Decimal(100)) == "-25.0%"
    assert ENGLISH.change(5, 0) is None


def test_days_moments_and_durations() -> None:
    assert (FRENCH.day(date(2026, 3, 5)), ENGLISH.day(date(2026, 3, 5))) == ("05/03/2026", "5 Mar 2026")
    assert FRENCH.moment(datetime(2026, 3, 5, 9, 7)) == "05/03/2026 09:07"
    assert [FRENCH.duration(seconds) for seconds in (0, 59, 150, 9000, 300_000)] == [
        *("0\u00a0s", "59\u00a0s", "2\u00a0min", "2\u00a0h", "3\u00a0j")
    ]


def test_a_csv_file_is_exact_and_starts_no_formula() -> None:
    frame = pd.DataFrame({"Vin": ["=1+1", "Rosé"], "€": [Decimal("1.10"), Decimal(-2)]}, dtype=object)
    assert csv(frame).decode("utf-8-sig") == "Vin,€\r\n'=1+1,1.10\r\nRosé,-2\r\n"
