"""Pages for when there is nothing to show: what it is, and what to type next."""

import streamlit as st

from dashboard.blocks import commands
from dashboard.texts import Say


def empty(say: Say) -> None:
    """Deployed, and no event has come through."""
    _page(say, "help.empty")
    commands(["caves produce --events 5000", "caves ingest --until-caught-up"])
    st.markdown(say("help.empty.after"))
    _retry(say)


def undeployed(say: Say) -> None:
    """The tables are not there, or not for this role."""
    _page(say, "help.undeployed")
    commands(["caves deploy -c local"])
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


def _page(say: Say, key: str) -> None:
    st.header(say(f"{key}.title"), anchor=False)
    st.markdown(say(key))


def _retry(say: Say) -> None:
    if st.button(say("help.retry"), type="primary"):
        st.cache_data.clear()
        st.rerun()
