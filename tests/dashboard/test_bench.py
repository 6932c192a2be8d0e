"""The bench of the dashboard on a small shop: both answer every question alike, and every page draws."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from snowflake.snowpark import Session

from bench import dashboard as bench
from bench.dashboard import shop
from bench.dashboard.questions import QUESTIONS, Period, period
from dashboard import queries
from snowcellar.local_server import LocalServer
from tests.engines.engine import DATABASE, Snowcellar

ORDERS = 20_000
TODAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    shop.build(path, ORDERS)
    return path


@pytest.fixture(scope="module")
def large(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("large")
    with Snowcellar.serve(folder):
        pass
    shop.lay(file, folder, DATABASE)
    with LocalServer(folder, "--database", DATABASE) as server:
        st.cache_data.clear()
        with bench.opened(lambda: server.session(database=DATABASE)) as session:
            yield session


@pytest.fixture(scope="module")
def duck(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def asked(session: Session, name: str) -> Period:
    choices = queries.choices(session, TODAY)
    assert choices is not None
    return period(choices, TODAY, name)


def test_every_question_has_the_same_answer_by_hand(large: Session, duck: duckdb.DuckDBPyConnection) -> None:
    for name in bench.PERIODS:
        for question in QUESTIONS:
            bench.require_the_same(question, large, duck, asked(large, name))


def test_every_question_of_the_dashboard_is_asked() -> None:
    elsewhere = {"revenue_by", "task_runs", "offenders"}
    elsewhere |= {"bucket", "cohort_unit", "segments", "best_customers"}
    known = {name for name in queries.__all__ if name.islower()} - elsewhere
    assert known <= {question.name for question in QUESTIONS}


def test_another_answer_is_no_figure(large: Session, file: Path, tmp_path: Path) -> None:
    """The check fires."""
    other = tmp_path / "other.duckdb"
    other.write_bytes(file.read_bytes())
    (question,) = [each for each in QUESTIONS if each.name == "sales_totals"]
    with duckdb.connect(str(other)) as changed:
        changed.execute(
            "UPDATE orders SET total_amount = total_amount + 0.01 WHERE order_id LIKE '%00019999'"
        )
        with pytest.raises(SystemExit, match=r"sales_totals: .*: no figure counts"):
            bench.require_the_same(question, large, changed, asked(large, "all"))


@pytest.mark.usefixtures("large")
def test_every_page_is_drawn_with_its_figures() -> None:
    for page in bench.PAGES:
        assert bench.render(page, "30d") > 0


def test_the_shop_is_the_same_each_time_and_nothing_waits(
    large: Session, duck: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    shop.build(tmp_path / "again.duckdb", ORDERS)
    fingerprint = "SELECT count(*), bit_xor(hash(orders)) FROM orders"
    with duckdb.connect(str(tmp_path / "again.duckdb")) as again:
        assert again.execute(fingerprint).fetchall() == duck.execute(fingerprint).fetchall()
    assert set(queries.health(large)["streams"].values()) == {0}
