"""How often the dashboard goes to the warehouse: on an account each time is a tenth of a second."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import streamlit as st
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.snowpark import Session

import dashboard.session
from dashboard import queries
from dashboard.filters import Filters
from tests.dashboard import shop

MONTH = Filters(shop.LAST_DAY.replace(day=2), shop.LAST_DAY)
# Snowpark looks at both sides of a join, and at what is asked for by IN.
JOINED = {"top_wines", "customer_totals", "cohorts", "movements"}


def _of_the_month(question: Callable[..., Any], session: Session) -> Any:
    return question(session, MONTH)


QUESTIONS: dict[str, Callable[[Session], Any]] = {
    "choices": lambda session: queries.choices(session, shop.LAST_DAY),
    "health": queries.health,
    "alerts": queries.alerts,
    "waiting_rejected": queries.waiting_rejected,
    **{
        question.__name__: partial(_of_the_month, question)
        for question in (
            queries.sales_totals,
            queries.revenue_over_time,
            queries.revenue_by_hour,
            queries.top_wines,
            queries.top_customers,
            queries.customer_totals,
            queries.scored_customers,
            queries.stock_totals,
            queries.stock_levels,
            queries.low_stock,
            queries.running_out,
            queries.movements,
        )
    },
    "cohorts": lambda session: queries.cohorts(session, MONTH, "month"),
}


@pytest.fixture
def opened(session: Session) -> Iterator[Session]:
    st.cache_resource.clear()
    dashboard.session.open_with(lambda: session)
    yield dashboard.session.current()
    dashboard.session._openers.clear()
    session.sql_simplifier_enabled = True  # type: ignore[misc]  # its setter is behind a decorator


def test_a_session_is_set_up_once_and_without_a_word(
    opened: Session, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = dashboard.session.current()
    assert not session.sql_simplifier_enabled
    session.sql_simplifier_enabled = True  # type: ignore[misc]  # its setter is behind a decorator
    caplog.clear()
    statements: list[str] = []
    execute = SnowflakeCursor.execute

    def watched(cursor: SnowflakeCursor, command: str, *arguments: Any, **options: Any) -> Any:
        statements.append(command)
        return execute(cursor, command, *arguments, **options)

    monkeypatch.setattr(SnowflakeCursor, "execute", watched)
    for _ in range(3):
        assert not dashboard.session.current().sql_simplifier_enabled
    assert sum("SIMPLIFIER" in statement for statement in statements) == 1
    assert not caplog.messages


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_does_not_ask_for_columns_first(
    opened: Session, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = SnowflakeCursor.execute

    def watched(cursor: SnowflakeCursor, command: str, *arguments: Any, **options: Any) -> Any:
        if options.get("_describe_only"):
            asked.append(command)
        return execute(cursor, command, *arguments, **options)

    monkeypatch.setattr(SnowflakeCursor, "execute", watched)
    QUESTIONS[name](opened)
    assert len(asked) <= (2 if name in JOINED else 0), asked
