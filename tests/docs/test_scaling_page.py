"""docs/scaling.md has the tables that its model computes, from figures that other pages have measured."""

from typing import Final

import pytest

from bench.scaling import parameters, tables
from bench.scaling.parameters import Origin, Parameter
from tests.docs.pages import ROOT, table_rows

PAGE: Final = tables.PAGE.read_text(encoding="utf-8")
CURVE: Final = ROOT / "docs" / "reliability.md"
SIZES: Final = ROOT / "docs" / "data-life.md"


def test_the_tables_are_those_of_the_model() -> None:
    """To mend it: python -m bench.scaling."""
    assert tables.written(PAGE) == PAGE


def test_every_table_of_the_model_is_on_the_page_once() -> None:
    for name in tables.TABLES:
        assert PAGE.count(f"<!-- from bench/scaling: {name} -->\n\n| ") == 1, name


def test_a_figure_that_was_changed_on_the_page_is_written_anew() -> None:
    assert tables.written(PAGE.replace("| 4 | 4 | 29 % |", "| 4 | 4 | 92 % |")) == PAGE
    assert "| 4 | 4 | 29 % |" in PAGE


@pytest.mark.parametrize(
    ("parameter", "row", "column"),
    [
        (parameters.ONE_INGESTOR_NEAR, "answers at once", 1),
        (parameters.ONE_INGESTOR, "answers a quarter of a second late", 1),
        (parameters.FOUR_INGESTORS, "answers a quarter of a second late", 3),
    ],
)
def test_a_measured_rate_is_the_one_of_the_scale_out_curve(
    parameter: Parameter, row: str, column: int
) -> None:
    [cells] = [cells for cells in table_rows(CURVE) if cells[0].startswith(row)]
    assert int(cells[column].removesuffix(" rows/s").replace(",", "")) == parameter.value


@pytest.mark.parametrize(
    ("parameter", "row"), [(parameters.RAW_MB, "raw events"), (parameters.STAGED_MB, "staged orders")]
)
def test_a_stored_size_is_the_one_that_the_page_on_the_life_of_data_has(
    parameter: Parameter, row: str
) -> None:
    assert [row, f"{parameter.value}"] in table_rows(SIZES)


def test_a_figure_of_snowflake_names_the_page_that_says_it() -> None:
    for each in parameters.ALL:
        if each.origin is Origin.SNOWFLAKE:
            assert "snowflake.com/" in each.source, each.meaning
