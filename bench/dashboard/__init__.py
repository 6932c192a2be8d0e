"""Every question of the dashboard on 10,000,000 orders, beside the same by hand in DuckDB; and every page.

Both have the same rows, in tables of the same types and the same order. A question is asked as the dashboard
asks it, through Snowpark and over the wire; by hand is SQL on the tables, by DuckDB's own module. Before any
is timed, both must give the same answer. A page is run by Streamlit itself, without a browser, with nothing
kept from before: the session stands, as it does for whoever opens a second page.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import streamlit as st
from snowflake.snowpark import Session
from streamlit.testing.v1 import AppTest

import dashboard
import dashboard.session
from bench.cellar import cellar
from bench.dashboard import shop
from bench.dashboard.questions import QUESTIONS, Period, Question, comparable, period
from bench.harness import OURS, Bound, Comparison, Options, Target, in_turns
from caves_snowpark.names import DEFAULT_DATABASE
from caves_snowpark.production import BUSINESS_TIME_ZONE
from dashboard import queries

ORDERS: Final = 10_000_000
DUCKDB: Final = "DuckDB, by hand"
TARGET: Final = Target(DUCKDB, 1.5, at_least=False)
PAGE_SECONDS: Final = 2.0
# As an address names them, and as people do.
PERIODS: Final = {"30d": "the last 30 days", "all": "all two years"}
PAGES: Final = ("sales", "stock", "customers", "pipeline")
_WITHOUT_PERIOD: Final = ("pipeline",)
_FIGURES: Final = 5
# A turn is the median of so many: a question takes a hundredth of a second.
_REPEATS: Final = 5
_LONG_SECONDS: Final = 0.5
_APP: Final = Path(dashboard.__file__).with_name("streamlit_app.py")

Figures = dict[str, list[float]]


def run(options: Options) -> Iterator[Comparison]:
    orders = options.count(ORDERS)
    with tempfile.TemporaryDirectory() as temporary:
        file, folder = Path(temporary, "shop.duckdb"), Path(temporary, "warehouse")
        options.say(f"{orders:,} orders are made")
        shop.build(file, orders)
        shop.prepare(file, folder)
        with cellar(folder) as warehouse, duckdb.connect(str(file), read_only=True) as duck:
            duck.execute("SET TimeZone = 'UTC'")
            with opened(lambda: warehouse.server.session(database=DEFAULT_DATABASE)) as session:
                yield from _questions(session, duck, orders, options)
                yield from _pages(orders, options)


@contextmanager
def opened(opener: Callable[[], Session]) -> Iterator[Session]:
    """The dashboard's own session."""
    # Streamlit misses its server in every run.
    logging.disable(logging.WARNING)
    dashboard.session.open_with(opener)
    session = dashboard.session.current()
    try:
        yield session
    finally:
        session.close()
        dashboard.session._openers.clear()
        st.cache_resource.clear()
        logging.disable(logging.NOTSET)


def _questions(
    session: Session, duck: duckdb.DuckDBPyConnection, orders: int, options: Options
) -> Iterator[Comparison]:
    today = datetime.now(ZoneInfo(BUSINESS_TIME_ZONE)).date()
    choices = queries.choices(session, today)
    assert choices is not None
    worst: list[tuple[str, Figures]] = []
    for name, words in PERIODS.items():
        asked = period(choices, today, name)
        found = {
            question.name: _figures(question, session, duck, asked, options)
            for question in QUESTIONS
            if question.has_period or name == next(iter(PERIODS))
        }
        worst += [(f"{question}, {words}", figures) for question, figures in found.items()]
        total = {
            contestant: [
                sum(turn) for turn in zip(*(each[contestant] for each in found.values()), strict=True)
            ]
            for contestant in (OURS, DUCKDB)
        }
        facts = {question: _row(figures) for question, figures in found.items()}
        work = f"the {len(found)} questions about {words} on {orders:,} orders, one after the other"
        yield Comparison(work, "ms", total, facts=facts)
    name, figures = max(worst, key=lambda each: _compared(each[1]).ratio(DUCKDB))
    met = sum(TARGET.is_met(_compared(each).ratio(DUCKDB)) for _, each in worst)
    yield Comparison(
        f"the question furthest from DuckDB: {name}",
        "ms",
        figures,
        (TARGET,),
        {"questions_that_meet_the_target": f"{met} of {len(worst)}"},
    )


def _figures(
    question: Question, session: Session, duck: duckdb.DuckDBPyConnection, asked: Period, options: Options
) -> Figures:
    require_the_same(question, session, duck, asked)
    works = {
        OURS: partial(_milliseconds, lambda: question.ours(session, asked)),
        DUCKDB: partial(_milliseconds, lambda: question.by_hand(duck, asked)),
    }
    return in_turns(works, options)


def require_the_same(
    question: Question, session: Session, duck: duckdb.DuckDBPyConnection, asked: Period
) -> None:
    """A question that both answer, and alike; else no figure counts."""
    ours, by_hand = (
        comparable(rows) for rows in (question.ours(session, asked), question.by_hand(duck, asked))
    )
    if not ours or ours != by_hand:
        only = (
            [row for row in ours if row not in by_hand][:1],
            [row for row in by_hand if row not in ours][:1],
        )
        raise SystemExit(f"{question.name}: ours has {only[0]}, DuckDB {only[1]}: no figure counts")


def _milliseconds(ask: Callable[[], Any]) -> float:
    taken: list[float] = []
    while len(taken) < _REPEATS and sum(taken) < _LONG_SECONDS:
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


def _compared(figures: Figures) -> Comparison:
    return Comparison("", "ms", figures)


def _row(figures: Figures) -> dict[str, Any]:
    compared = _compared(figures)
    ratio = compared.ratio(DUCKDB)
    return {
        "caves, ms": round(compared.median(OURS), 1),
        "DuckDB, ms": round(compared.median(DUCKDB), 1),
        "ours to it": round(ratio, 2),
        "at most 1.5": TARGET.is_met(ratio),
    }


def _pages(orders: int, options: Options) -> Iterator[Comparison]:
    for name, words in PERIODS.items():
        pages = [page for page in PAGES if page not in _WITHOUT_PERIOD or name == next(iter(PERIODS))]
        # The first run of a page imports what it draws with.
        for page in pages:
            render(page, name)
        found = in_turns({page: partial(render, page, name) for page in pages}, options)
        slowest = max(pages, key=lambda page: statistics.median(found[page]))
        facts = {
            page: {
                "s": round(statistics.median(seconds), 2),
                "under 2 s": statistics.median(seconds) < PAGE_SECONDS,
            }
            for page, seconds in found.items()
        }
        work = f"the slowest page about {words} on {orders:,} orders: {slowest}"
        yield Comparison(work, "s", {OURS: found[slowest]}, (Bound(PAGE_SECONDS),), facts)


def render(page: str, asked: str) -> float:
    """The seconds in which Streamlit runs a page; it must have its figures, and no advice instead."""
    st.cache_data.clear()
    app = AppTest.from_file(str(_APP), default_timeout=600)
    app.query_params["page"] = page
    app.query_params["period"] = asked
    begun = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - begun
    if app.exception or app.header or len(app.metric) != _FIGURES:
        raise SystemExit(
            f"the page {page} shows {app.exception or app.header or app.metric}: no figure counts"
        )
    return seconds
