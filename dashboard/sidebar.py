"""The switches and filters, and the address that repeats them.

A widget is filled from the address when it first appears; from then on it leads and the address follows:
a reload, a bookmark or a link shows the same page. Its value is set anew in each run, because Streamlit takes
one whose words are in another language for another widget, and would begin with its first option.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import streamlit as st

from dashboard.filters import CUSTOM, PERIODS, Address, Choices
from dashboard.formats import Formats
from dashboard.texts import Say

# A calendar without bounds of its own ends ten years from today, and refuses an address that lies outside.
_FIRST_DAY: Final = date(1900, 1, 1)
_LAST_DAY: Final = date(2200, 12, 31)


def remembered(key: str, parameters: Mapping[str, list[str]], known: Collection[str]) -> str:
    """What the switch says, else the address, else the first there is."""
    said = st.session_state.get(key)
    asked = (parameters.get(key) or [""])[-1]
    for value in (said, asked):
        if value in known:
            return str(value)
    return next(iter(known))


def choice(key: str, known: Collection[str], value: str, named: Callable[[str], str], label: str) -> None:
    """A row of buttons of which one is on: pressing it again leaves it on."""
    if st.session_state.get(key) not in known:
        st.session_state[key] = value

    def stay() -> None:
        st.session_state[key] = st.session_state[key] or value

    st.segmented_control(
        label, list(known), format_func=named, key=key, on_change=stay, label_visibility="collapsed"
    )


def filters(
    address: Address, choices: Choices, shown: Collection[str], say: Say, formats: Formats
) -> Address:
    """The filters that the page uses, filled from the address; the others stay as the address has them."""
    if not shown:
        return address
    st.subheader(say("filters"), anchor=False)
    changes: dict[str, Any] = {}
    if "period" in shown:
        changes |= _period(address, choices, say, formats)
    for key, field, known in (
        ("category", "categories", choices.categories),
        ("channel", "channels", choices.channels),
        ("location", "locations", choices.locations),
    ):
        if key in shown:
            changes[field] = _several(key, getattr(address, field), known, say)
    return replace(address, **changes)


def _period(address: Address, choices: Choices, say: Say, formats: Formats) -> dict[str, Any]:
    keep("period", address.period)
    period = st.selectbox(
        say("period"), PERIODS, key="period", format_func=lambda name: say(f"period.{name}")
    )
    if period != CUSTOM:
        return {"period": period, "start": None, "end": None}
    now = address.filters(choices)
    keep("dates", (now.start, now.end))
    days: Any = st.date_input(
        say("period.dates"),
        key="dates",
        min_value=_FIRST_DAY,
        max_value=_LAST_DAY,
        format="DD/MM/YYYY" if formats.french else "YYYY-MM-DD",
    )
    # Between the first click and the second there is one day, or none.
    start, end = (days[0], days[-1]) if days else (now.start, now.end)
    return {"period": period, "start": start, "end": end}


def keep(key: str, otherwise: Any) -> None:
    """What the widget holds, or what it begins with."""
    st.session_state[key] = st.session_state.get(key, otherwise)


def _several(key: str, chosen: tuple[str, ...], known: tuple[str, ...], say: Say) -> tuple[str, ...]:
    # What a tick of the pipeline has renamed or removed since cannot stay chosen.
    st.session_state[key] = [value for value in st.session_state.get(key, chosen) if value in known]
    return tuple(st.multiselect(say(key), known, key=key, placeholder=say("filters.all")))


def write_address(parameters: Mapping[str, Any]) -> None:
    """Change the address only when it differs: each change is a step in the browser's history."""
    now = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}
    if now != wanted:
        st.query_params.from_dict(wanted)
