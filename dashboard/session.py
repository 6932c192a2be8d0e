"""The warehouse session: in Snowflake the app's own, elsewhere one that the `caves` command opens."""

import logging
from collections.abc import Callable
from typing import Final

import streamlit as st
from snowflake.connector.errors import Error as ConnectorError
from snowflake.snowpark import Session
from snowflake.snowpark.context import get_active_session
from snowflake.snowpark.exceptions import SnowparkClientException

log = logging.getLogger(__name__)
_SNOWPARK_LOG: Final = logging.getLogger("snowflake.snowpark")

_openers: list[Callable[[], Session]] = []


class NotConnected(Exception):
    """Outside Snowflake, and nobody said which connection to use."""


class Unreachable(Exception):
    """No session can be had; the reason is the message."""


def open_with(opener: Callable[[], Session]) -> None:
    """How to open a session on this machine; asked again when one is lost."""
    _openers[:] = [opener]


def current() -> Session:
    """The session to ask. Its failures are the connector's and Snowpark's own."""
    if _openers:
        return _straight(_local())
    try:
        return _straight(get_active_session())
    except SnowparkClientException as error:
        raise NotConnected from error


def _straight(session: Session) -> Session:
    """Without the simplifier, which asks the warehouse for the columns of a table before most questions.

    What it saves is nesting in the SQL, which costs a warehouse nothing.
    """
    if session.sql_simplifier_enabled:
        # It warns of other threads, which Streamlit always has; nobody uses the session yet.
        level = _SNOWPARK_LOG.level
        _SNOWPARK_LOG.setLevel(logging.ERROR)
        try:
            session.sql_simplifier_enabled = False  # type: ignore[misc]  # its setter is behind a decorator
        finally:
            _SNOWPARK_LOG.setLevel(level)
    return session


def _answers(session: Session) -> bool:
    """Whether the session is still there; the local warehouse may have started anew."""
    try:
        session.sql("SELECT 1").collect()
    except (ConnectorError, SnowparkClientException, OSError):
        log.warning("the session is gone; opening another", exc_info=True)
        return False
    return True


@st.cache_resource(show_spinner=False, validate=_answers)
def _local() -> Session:
    return _openers[0]()
