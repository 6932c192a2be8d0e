"""Pages for when there is nothing to show: what it is, and what to type next."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st
from snowflake.connector.errors import Error as ConnectorError
from snowflake.snowpark.exceptions import SnowparkClientException, SnowparkSQLException

from dashboard import session
from dashboard.blocks import commands
from dashboard.texts import Say

log = logging.getLogger(__name__)

_PENDING: Final = "advice"
# No such object, or no right to see it; no current database.
_NOT_DEPLOYED: Final = {2003, 2043, 90105, 2140, 2141}


def empty(say: Say) -> None:
    """Deployed, and no event has come through."""
    _page(say, "help.empty")
    commands(["caves produce --events 5000", "caves ingest --until-caught-up"])
    st.markdown(say("help.empty.after"))
    _retry(say)


def undeployed(say: Say) -> None:
    """The tables are not there, or not for this role."""
    _page(say, "help.undeployed")
    commands(["caves deploy"])
    _retry(say)


def unreachable(say: Say) -> None:
    """No answer, or no login."""
    _page(say, "help.unreachable")
    commands(["caves up"])
    _retry(say)


def unconnected(say: Say) -> None:
    """Started by hand outside Snowflake."""
    _page(say, "help.unconnected")
    commands(["caves dashboard -c local"])


def refused(say: Say) -> None:
    """A fault of ours, or a limit of the warehouse."""
    _page(say, "help.refused")
    _retry(say)


@contextmanager
def instead_of_failing(page: str) -> Iterator[None]:
    """Where a page fails, start again and give advice.

    Half a page and then an error would be read as half a truth. A buyer is told in a sentence, and whoever is
    on call finds the rest in the log.
    """
    try:
        yield
    except Exception as error:
        log.warning("the page %s failed", page, exc_info=True)
        st.session_state[_PENDING] = _advice_on(error).__name__
        st.rerun()


def pending() -> Callable[[Say], None] | None:
    """The advice that the last try left, given once: the next click tries anew."""
    name = st.session_state.pop(_PENDING, None)
    return next((advice for advice in _ON_FAILURE if advice.__name__ == name), None)


def _advice_on(error: Exception) -> Callable[[Say], None]:
    if isinstance(error, session.NotConnected):
        return unconnected
    if isinstance(error, SnowparkSQLException):
        return undeployed if int(error.sql_error_code or 0) in _NOT_DEPLOYED else refused
    if isinstance(error, session.Unreachable | ConnectorError | SnowparkClientException):
        return unreachable
    return refused


_ON_FAILURE: Final = (unconnected, undeployed, unreachable, refused)


def _page(say: Say, key: str) -> None:
    st.header(say(f"{key}.title"), anchor=False)
    st.markdown(say(key))


def _retry(say: Say) -> None:
    if st.button(say("help.retry"), type="primary"):
        st.cache_data.clear()
        st.rerun()
