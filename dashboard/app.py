"""The frame around the pages: language, page, filters, and what to say when there is nothing to show."""

from datetime import date, datetime
from types import ModuleType
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st
from snowflake.snowpark import Session

from caves_snowpark.production import BUSINESS_TIME_ZONE
from dashboard import advice, blocks, queries, session, sidebar
from dashboard.blocks import View
from dashboard.filters import Choices, read_address
from dashboard.formats import Formats
from dashboard.texts import DEFAULT_LANGUAGE, LANGUAGES, Say, speaker
from dashboard.views import customers, pipeline, sales, stock

PAGES: Final[dict[str, ModuleType]] = {
    "sales": sales,
    "stock": stock,
    "customers": customers,
    "pipeline": pipeline,
}


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(page_title="Les Caves d'Albert", layout="wide")
    st.html(blocks.STYLE)
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    language, page = _heading(parameters)
    say = speaker(language)
    frame = {"lang": language} if language != DEFAULT_LANGUAGE else {}
    frame |= {"page": page} if page != next(iter(PAGES)) else {}
    if give := advice.pending():
        give(say)
        return
    with advice.instead_of_failing(page):
        _page(page, parameters, say, Formats(language), frame)


# The underscore keeps the session out of the key.
@st.cache_data(ttl=blocks.KEPT_SECONDS, show_spinner=False)
def _choices(today: date, _session: Session) -> Choices | None:
    return queries.choices(_session, today)


def _heading(parameters: dict[str, list[str]]) -> tuple[str, str]:
    """Language and page: what was clicked last, else what the address says, else French and sales."""
    language = sidebar.remembered("lang", parameters, LANGUAGES)
    page = sidebar.remembered("page", parameters, PAGES)
    say = speaker(language)
    st.title(say("title"), anchor=False)
    sidebar.choice("page", PAGES, page, lambda key: say(f"page.{key}"), say("page"))
    with st.sidebar:
        sidebar.choice("lang", LANGUAGES, language, LANGUAGES.__getitem__, say("language"))
    return language, page


def _page(
    page: str, parameters: dict[str, list[str]], say: Say, formats: Formats, frame: dict[str, Any]
) -> None:
    opened = session.current()
    choices = _choices(datetime.now(ZoneInfo(BUSINESS_TIME_ZONE)).date(), opened)
    module = PAGES[page]
    if choices is None:
        if page != "pipeline":
            st.query_params.from_dict(frame)
            advice.empty(say)
            return
        choices = queries.NO_CHOICES
    address = read_address(parameters, choices)
    if address.ignored:
        st.warning(say("filters.ignored", names=", ".join(say(name) for name in address.ignored)))
    with st.sidebar:
        address = sidebar.filters(address, choices, module.FILTERS, say, formats)
    view = View(opened, choices, address.filters(choices), address, say, formats)
    product = module.show(view)
    sidebar.write_address(frame | address.with_product(product).parameters(choices))
