"""Tells when fakesnow no longer needs what src/snowcellar/upstream.py replaces."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from importlib.metadata import version

import fakesnow
import pytest
from fakesnow import info_schema
from fakesnow.converter import from_datetime
from fakesnow.transforms import transforms as fakesnow_transforms
from sqlglot import parse_one

from snowcellar import upstream, wire


def test_fakesnow_is_the_version_that_we_extend() -> None:
    assert version("fakesnow") == "0.12.1"
    assert fakesnow.__name__ == "fakesnow"


def test_fakesnow_still_sums_money_as_double() -> None:
    """When this fails, `exact_numeric_aggregate` can go."""
    tree = parse_one("SELECT SUM(P) FROM M", read="snowflake")
    assert "DOUBLE" in tree.transform(fakesnow_transforms.numeric_agg_implicit_cast).sql(dialect="duckdb")
    ours = parse_one("SELECT SUM(P) FROM M", read="snowflake").transform(upstream.exact_numeric_aggregate)
    assert "DOUBLE" not in ours.sql(dialect="duckdb")


def test_the_view_of_columns_is_still_written_as_we_amend_it() -> None:
    """The amendment is a replacement of text: it must find its place."""
    assert "SNOWCELLAR$TX" in upstream.GLOBAL_VIEWS
    assert "create or replace view" in upstream.GLOBAL_VIEWS
    assert "SNOWCELLAR$TX" not in info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW


def test_fakesnow_still_reads_a_bound_wall_clock_as_an_instant() -> None:
    """When this fails, `wire` can leave bound times to fakesnow."""
    assert from_datetime("0").tzinfo is not None


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("FIXED", "12", 12),
        ("FIXED", "19.90", Decimal("19.90")),
        ("REAL", "1.5", 1.5),
        ("TEXT", "12", "12"),
        ("BOOLEAN", "true", True),
        ("TIMESTAMP_NTZ", "-1000", dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
        ("TIMESTAMP_LTZ", "1000", dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)),
        ("TIMESTAMP_TZ", "0 1560", dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        ("TEXT", None, None),
    ],
)
def test_bound_values_are_decoded(kind: str, text: str | None, expected: object) -> None:
    params, rows = wire.read_bindings({"1": {"type": kind, "value": text}})
    assert (params, rows) == ([expected], None)
