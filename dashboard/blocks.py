"""What the pages are built of: rows of figures, tables with their download, and sections."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st
from snowflake.snowpark import Session

from dashboard.filters import Address, Choices, Filters
from dashboard.formats import Formats
from dashboard.queries import NONE
from dashboard.texts import Say

# A spreadsheet takes a text that starts so for a formula, and the texts come from tills and web shops.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# How long an answer is shown before it is asked for again.
KEPT_SECONDS: Final = 30
_ROW_PIXELS: Final = 35
_MOST_ROWS_HIGH: Final = 12

STYLE: Final = """
<style>
.block-container {padding: 3.2rem 2.5rem 3rem; max-width: 1240px;}
[class*="st-key-figures"] {
    display: grid !important; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem;
}
[class*="st-key-figures"] {align-items: stretch !important;}
[class*="st-key-figures"] > div {width: 100% !important; display: grid;}
[class*="st-key-figures"] [data-testid="stMetric"] {display: grid;}
[class*="st-key-figures"] [data-testid="stMetric"] > div {padding: .8rem .9rem;}
[data-testid="stMetricValue"] {font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums;}
[data-testid="stMetricValue"] > div {white-space: normal; overflow: visible;}
[data-testid="stMetricLabel"] > div {white-space: normal; overflow: visible;}
[data-testid="stMetricLabel"] p {font-size: .85rem; white-space: normal; overflow: visible;}
h1 {font-size: 1.9rem !important; padding-bottom: .6rem !important;}
h2 {font-size: 1.45rem !important;}
h3 {font-size: 1.15rem !important; padding-top: 1.1rem !important;}
/* The house's colour: a theme of one's own would be light for those who asked for dark. */
button[kind="segmented_controlActive"] {
    color: inherit !important; border-color: #C2476B !important;
    background: rgba(194, 71, 107, .18) !important;
}
span[data-baseweb="tag"], button[kind="primary"] {background-color: #A83657 !important;}
button[kind="primary"] {border-color: #A83657 !important;}
@media (max-width: 640px) {
    .block-container {padding-left: 1rem; padding-right: 1rem;}
    [class*="st-key-figures"] {grid-template-columns: 1fr 1fr; gap: .5rem;}
    [class*="st-key-figures"] > div:last-child:nth-child(odd) {grid-column: 1 / -1;}
    [data-testid="stMetricValue"] {font-size: 1.15rem;}
}
</style>
"""


@dataclass(frozen=True)
class View:
    """What a page is given."""

    session: Session
    choices: Choices
    filters: Filters
    address: Address
    say: Say
    formats: Formats

    def ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """The answer to a question of `queries` with this page's filters, kept for half a minute."""
        return _answer(question.__name__, self.filters, arguments, question, self.session)

    @property
    def comparable(self) -> bool:
        """Whether there is data for the whole of the period before."""
        return self.filters.before >= self.choices.first

    def compared(self) -> str:
        """The days that are shown, and those that they are compared with."""
        first, before = self.choices.first, self.filters.before
        known = "uncompared"
        if self.comparable:
            known = "so_far" if self.filters.until else "compared"
        days = {"start": self.filters.start, "end": self.filters.end, "before": before, "first": first}
        return self.say(f"period.{known}", **{name: self.formats.day(day) for name, day in days.items()})


# The underscore keeps what cannot be hashed out of the key; the question's name stands for it.
@st.cache_data(ttl=KEPT_SECONDS, max_entries=200, show_spinner=False)
def _answer(
    name: str,  # noqa: ARG001 - it is the key
    filters: Filters,
    arguments: tuple[Any, ...],
    _question: Callable[..., Any],
    _session: Session,
) -> Any:
    return _question(_session, filters, *arguments)


@dataclass(frozen=True)
class Figure:
    """One number that matters, and by how much it changed."""

    label: str
    value: str
    change: str | None = None
    help: str | None = None
    # Whether more of it is worse.
    inverse: bool = False


def figures(key: str, shown: Iterable[Figure]) -> None:
    """Cards side by side, as many as fit."""
    with st.container(key=f"figures-{key}"):
        for figure in shown:
            st.metric(
                figure.label,
                figure.value,
                figure.change,
                delta_color="inverse" if figure.inverse else "normal",
                help=figure.help,
                border=True,
            )


def section(title: str, note: str | None = None) -> None:
    st.subheader(title, anchor=False)
    if note:
        st.caption(note)


def table(view: View, name: str, frame: pd.DataFrame, kinds: dict[str, Callable[[Any], str] | None]) -> None:
    """The columns of `kinds`, each shown by its format, and the exact values as a CSV file."""
    if frame.empty:
        st.info(view.say("no_data"))
        return
    chosen = frame[list(kinds)]
    labels = {column: view.say(column) for column in kinds}
    # Decimals as floats, so that a column is sorted by its numbers; what is shown is formatted from them.
    # A column with holes is shown as text: Streamlit would write None into them.
    holes = {column for column in kinds if chosen[column].isna().any()}
    plain = chosen.map(_number).rename(columns=labels)
    for column in holes:
        plain[labels[column]] = [_text(value, kinds[column]) for value in chosen[column]]
    formats = {labels[column]: kind for column, kind in kinds.items() if kind and column not in holes}
    rows = min(len(plain), _MOST_ROWS_HIGH)
    st.dataframe(
        plain.style.format(formats),
        hide_index=True,
        height=_ROW_PIXELS * (rows + 1) + 3,
        key=f"table-{name}",
    )
    st.download_button(
        view.say("csv"),
        csv(chosen.rename(columns=labels)),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def csv(frame: pd.DataFrame) -> bytes:
    """Exact decimals, ISO dates, and a mark at the head by which Excel sees that it is UTF-8."""
    text: str = frame.map(_cell).to_csv(index=False, lineterminator="\r\n")
    return text.encode("utf-8-sig")


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _text(value: Any, kind: Callable[[Any], str] | None) -> str:
    return NONE if pd.isna(value) else kind(value) if kind else str(value)


def _number(value: Any) -> Any:
    return float(value) if hasattr(value, "as_tuple") else value


def commands(lines: Sequence[str]) -> None:
    """What to type."""
    st.code("\n".join(lines), language="bash")
