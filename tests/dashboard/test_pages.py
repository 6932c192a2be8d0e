"""The app itself without a browser: pages, languages, addresses, and what it says when it cannot show."""

import logging
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from snowflake.connector.errors import OperationalError
from snowflake.snowpark import Session
from streamlit.testing.v1 import AppTest

import dashboard.session
from caves_snowpark.invariants import invariants
from tests.dashboard import shop
from tests.dashboard.cellar import TABLES
from tests.deploy_files import ACCOUNT
from tests.engines.engine import DATABASE, Snowcellar

APP = Path(dashboard.session.__file__).with_name("streamlit_app.py")
FIGURES = {"sales": 5, "stock": 5, "customers": 5, "pipeline": 5}
FILTERED = ("sales", "stock", "customers")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    dashboard.session._openers.clear()


def page(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    return " ".join(str(element.value) for element in (*app.header, *app.markdown, *app.warning))


@pytest.mark.parametrize(("name", "language"), [*product(FILTERED, ("fr", "en")), ("pipeline", "fr")])
def test_every_page_shows_its_figures_in_both_languages(session: Session, name: str, language: str) -> None:
    dashboard.session.open_with(lambda: session)
    app = page(page=name, lang=language)
    assert not app.exception
    assert len(app.metric) == FIGURES[name]
    assert not app.header


def test_the_figures_of_a_chosen_period_are_those_of_plain_python(session: Session) -> None:
    dashboard.session.open_with(lambda: session)
    app = page(
        **{"period": "custom", "from": "2026-03-01", "to": "2026-03-15", "channel": "WEB", "lang": "en"}
    )
    start, end = date(2026, 3, 1), date(2026, 3, 15)
    sold = [order for order in shop.between(shop.orders(), start, end) if order.channel == "WEB"]
    revenue = sum(order.amount for order in sold)
    values = [metric.value for metric in app.metric]
    assert values[0] == str(len(sold))
    assert values[2] == f"€{revenue:,.2f}"


HOSTILE = {
    "period": "'; DROP TABLE PRODUCTION.ORDERS; --",
    "category": "<script>alert(1)</script>",
    "channel": "%s",
    "location": "../../etc/passwd",
    "product": "1 OR 1=1",
    "lang": "xx",
    "page": "__import__('os')",
    "from": "9999-99-99",
    "unknown": "\x00",
}


@pytest.mark.parametrize("name", FILTERED)
def test_a_hostile_address_gives_a_plain_message_and_the_page(session: Session, name: str) -> None:
    """PITFALLS 35."""
    dashboard.session.open_with(lambda: session)
    app = page(**{**HOSTILE, "page": name})
    assert not app.exception
    assert len(app.metric) == FIGURES[name]
    (warning,) = app.warning
    assert "script" not in warning.value


@pytest.mark.parametrize("name", FILTERED)
def test_a_period_without_data_says_so(session: Session, name: str) -> None:
    """PITFALLS 35."""
    dashboard.session.open_with(lambda: session)
    app = page(**{"page": name, "period": "custom", "from": "2001-01-01", "to": "2001-01-02", "lang": "en"})
    assert not app.exception
    if name != "stock":
        assert [info.value for info in app.info] == ["Nothing for these filters."]


def test_the_pipeline_page_shows_alerts_rejected_events_runs_and_broken_invariants(session: Session) -> None:
    dashboard.session.open_with(lambda: session)
    app = page(page="pipeline", lang="en")
    values = [metric.value for metric in app.metric]
    assert values[2] == str(len(shop.REJECTED))
    assert values[4] == str(sum(not alert.over for alert in shop.ALERTS))
    alerts, rejected, runs = (_table(app, column) for column in ("Alert", "Reason", "Task"))
    assert list(alerts["Alert"]) == ["LOW_STOCK", "PIPELINE_LAG", "REJECTED_SHARE"]
    assert list(alerts["State"]) == ["▲ critical", "△ warning", "✓ over"]
    counted = dict(zip(rejected["Reason"], rejected["Events"], strict=True))
    assert counted == {"MISSING_EVENT_TS": 2, "INVALID_QUANTITY": 1, "NOT_JSON_OBJECT": 1}
    assert list(runs["Task"]) == ["TASK_THAT_FAILS"]
    assert list(runs["State"]) == ["✗ failed"]
    # The known shop was written past the raw events, so its orders come from nowhere.
    found = _table(app, "Invariant")
    broken = {invariant.number: len(session.sql(invariant.sql).collect()) for invariant in invariants()}
    assert list(found["Offenders"]) == list(broken.values())
    assert [verdict == "✓ holds" for verdict in found["Verdict"]] == [not count for count in broken.values()]
    assert {*found["Verdict"]} == {"✓ holds", "✗ broken"}


def _table(app: AppTest, column: str) -> Any:
    """The table that has this column."""
    return next(found.value for found in app.dataframe if column in found.value)


@pytest.fixture
def new_database(cellar: Snowcellar) -> Iterator[Session]:
    """Tables without a row, and neither views nor alerts."""
    cellar.deploy(ACCOUNT, *TABLES, database="NEW_DB")
    yield cellar.session
    cellar.session.use_database(DATABASE)


def test_a_new_warehouse_says_how_to_fill_it_and_one_without_views_how_to_deploy_them(
    new_database: Session,
) -> None:
    dashboard.session.open_with(lambda: new_database)
    assert [header.value for header in page(lang="en").header] == ["The warehouse is ready, and still empty"]
    for name in ("stock", "sales"):
        shop.load(new_database, shop.orders(1), shop.movements()[:1])
        st.cache_data.clear()
        app = page(lang="en", page=name)
        assert not app.exception
        assert not app.metric, "half a page is taken back"
        assert [header.value for header in app.header] == ["The pipeline is not deployed here"]


def test_a_database_without_the_pipeline_says_how_to_deploy_it(session: Session) -> None:
    session.sql("CREATE DATABASE IF NOT EXISTS NOTHING_IN_IT").collect()
    try:
        session.use_database("NOTHING_IN_IT")
        dashboard.session.open_with(lambda: session)
        app = page(lang="en")
    finally:
        session.use_database(DATABASE)
    assert not app.exception
    assert [header.value for header in app.header] == ["The pipeline is not deployed here"]


def _fail(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    "error",
    [OperationalError("no answer"), dashboard.session.Unreachable("refused"), ConnectionError("gone")],
)
def test_a_warehouse_that_does_not_answer_is_told_in_a_sentence(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    dashboard.session.open_with(lambda: _fail(error))
    app = page(lang="en")
    assert not app.exception
    assert len(app.header) == 1
    assert "no answer" not in text(app)


def test_outside_snowflake_and_without_a_connection_it_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from snowflake.snowpark.exceptions import SnowparkSessionException

    monkeypatch.setattr(
        dashboard.session, "get_active_session", lambda: _fail(SnowparkSessionException("none"))
    )
    app = page(lang="en")
    assert [header.value for header in app.header] == ["No connection was chosen"]
