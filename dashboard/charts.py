"""Every chart: from an answer of `queries` to a picture that says the same in both languages.

Colours have enough contrast on light and on dark ground alike, and no meaning is carried by colour alone:
bars have names, cells have tooltips and a table stands beside what is hard to read off.
"""

from datetime import date, datetime
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import places, queries
from dashboard.formats import Formats
from dashboard.texts import Say

Chart = alt.Chart | alt.LayerChart

WINE: Final = "#C2476B"
GREY: Final = "#8A8F98"
# Text inside a chart, which Streamlit's theme leaves black.
_INK: Final = {"light": "#31333F", "dark": "#FAFAFA"}
_BAR: Final = 30
_MOST_TICKS: Final = 12
_TIME_UNITS: Final = {
    "hour": "yearmonthdatehours",
    "day": "yearmonthdate",
    "week": "yearmonthdate",
    "month": "yearmonth",
}
# What stands under the bars: midnight is where the day's name goes.
_TIME_LABELS: Final = {
    "hour": "hours(datum.value) ? timeFormat(datum.value, '%H:%M') : timeFormat(datum.value, '%d %b')",
    "day": "timeFormat(datum.value, '%d %b')",
    "week": "timeFormat(datum.value, '%d %b')",
    "month": "timeFormat(datum.value, '%b %Y')",
}
_DAYS: Final = {
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS: Final = {
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_LOCALES: Final[dict[str, dict[str, Any]]] = {
    "fr": {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", "\u00a0€"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["€", ""]},
}


def revenue_over_time(frame: pd.DataFrame, unit: str, say: Say, formats: Formats) -> Chart:
    """Bars of revenue by hour, day, week or month."""
    title = say(unit.upper())
    data = frame.assign(
        REVENUE=frame["REVENUE"].astype(float),
        # Local midnight: a bare date would be read as UTC and move by a day west of Greenwich.
        DAY=[f"{day:%Y-%m-%dT%H:%M:%S}" for day in frame["DAY"]],
        day_text=[_bucket(day, unit, formats) for day in frame["DAY"]],
        revenue_text=[formats.money(value) for value in frame["REVENUE"]],
        orders_text=[formats.number(value) for value in frame["ORDERS"]],
    )
    bars = alt.Chart(data).mark_bar(color=WINE, cornerRadiusTopLeft=2, cornerRadiusTopRight=2, binSpacing=0.5)
    encoded = bars.encode(
        x=alt.X(
            f"{_TIME_UNITS[unit]}(DAY):T",
            title=None,
            axis=alt.Axis(labelExpr=_TIME_LABELS[unit], labelOverlap=True, labelFlush=True, grid=False),
        ),
        y=alt.Y("REVENUE:Q", title=None, axis=alt.Axis(format="$,.0f", tickCount=5)),
        tooltip=_tooltip(
            ("day_text", title), ("revenue_text", say("REVENUE")), ("orders_text", say("ORDERS"))
        ),
    )
    return _localised(encoded.properties(height=280), formats)


def ranked(frame: pd.DataFrame, column: str, say: Say, formats: Formats) -> Chart:
    """Horizontal bars of revenue, the largest on top, each with its value written at its end."""
    data = frame.assign(
        REVENUE=frame["REVENUE"].astype(float),
        revenue_text=[formats.money(value) for value in frame["REVENUE"]],
        orders_text=[formats.number(value) for value in frame["ORDERS"]],
    )
    base = alt.Chart(data).encode(
        y=alt.Y(
            f"{column}:N", sort=None, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False)
        ),
        tooltip=_tooltip(
            (column, say(column)), ("revenue_text", say("REVENUE")), ("orders_text", say("ORDERS"))
        ),
    )
    longest = float(data["REVENUE"].max() or 0) or 1.0
    # Room on the right for the values.
    scale = alt.Scale(domain=[0, longest * 1.45])
    x = alt.X("REVENUE:Q", scale=scale, axis=None)
    bars = base.mark_bar(color=WINE, cornerRadiusTopRight=3, cornerRadiusBottomRight=3).encode(x=x)
    values = base.mark_text(align="left", dx=5, color=_ink()).encode(x=x, text="revenue_text:N")
    return _localised((bars + values).properties(height=_BAR * len(data) + 10), formats)


def heat_map(frame: pd.DataFrame, say: Say, formats: Formats) -> Chart:
    """Revenue by day of the week and hour: the stronger, the more."""
    days = _DAYS[formats.language]
    data = pd.DataFrame(
        {
            "day": [days[int(day) - 1] for day in frame["WEEKDAY"]],
            "hour": [int(hour) for hour in frame["HOUR"]],
            "revenue": frame["REVENUE"].astype(float),
            "revenue_text": [formats.money(value) for value in frame["REVENUE"]],
            "orders_text": [formats.number(value) for value in frame["ORDERS"]],
        }
    )
    cells = alt.Chart(data).mark_rect(color=WINE, cornerRadius=2)
    encoded = cells.encode(
        x=alt.X(
            "hour:O",
            scale=alt.Scale(domain=list(range(24))),
            title=say("HOUR"),
            axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False, domain=False),
        ),
        y=alt.Y(
            "day:O",
            scale=alt.Scale(domain=list(days)),
            title=None,
            axis=alt.Axis(labelFlush=False, labelBound=False, ticks=False, domain=False),
        ),
        # Opacity rather than a scale of colours: it fades into light and dark ground alike.
        opacity=alt.Opacity("revenue:Q", scale=alt.Scale(range=[0.06, 1]), legend=None),
        tooltip=_tooltip(
            ("day", say("WEEKDAY")),
            ("hour", say("HOUR")),
            ("revenue_text", say("REVENUE")),
            ("orders_text", say("ORDERS")),
        ),
    )
    return _localised(encoded.properties(height=240), formats)


def stock_levels(frame: pd.DataFrame, say: Say, formats: Formats) -> Chart:
    """Bottles by category, a row of cells for each location, each with its number."""
    largest = max(float(frame["BOTTLES"].max()), 1.0)
    data = frame.assign(
        BOTTLES=frame["BOTTLES"].astype(float),
        bottles_text=[formats.number(value) for value in frame["BOTTLES"]],
        products_text=[formats.number(value) for value in frame["PRODUCTS"]],
    )
    base = alt.Chart(data).encode(
        x=alt.X(
            "PRODUCT_CATEGORY:N",
            title=say("PRODUCT_CATEGORY"),
            axis=alt.Axis(labelAngle=-40, labelLimit=140, labelOverlap=False, ticks=False, domain=False),
        ),
        y=alt.Y("WAREHOUSE_LOCATION:N", title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)),
        tooltip=_tooltip(
            ("WAREHOUSE_LOCATION", say("WAREHOUSE_LOCATION")),
            ("PRODUCT_CATEGORY", say("PRODUCT_CATEGORY")),
            ("bottles_text", say("BOTTLES")),
            ("products_text", say("PRODUCTS")),
        ),
    )
    opacity = alt.Opacity("BOTTLES:Q", scale=alt.Scale(domain=[0, largest], range=[0.08, 0.55]), legend=None)
    cells = base.mark_rect(color=WINE, cornerRadius=3).encode(opacity=opacity)
    numbers = base.mark_text(fontSize=13, color=_ink()).encode(text="bottles_text:N")
    rows = data["WAREHOUSE_LOCATION"].nunique()
    return _localised((cells + numbers).properties(height=52 * rows + 90), formats)


def stock_map(frame: pd.DataFrame, say: Say, formats: Formats) -> Chart:
    """The outline of France, and a disc for each location."""
    outline = pd.DataFrame(
        [(x, y, order) for order, (x, y) in enumerate(places.OUTLINE)], columns=["x", "y", "order"]
    )
    points = [(name, places.place(name), bottles) for name, bottles in _by_location(frame).items()]
    discs = pd.DataFrame(
        [(name, *point, float(bottles), formats.number(bottles)) for name, point, bottles in points if point],
        columns=["name", "x", "y", "bottles", "bottles_text"],
    )
    discs["label"] = discs["name"] + "\n" + discs["bottles_text"]
    # One degree of longitude is two thirds of one of latitude here, hence the width.
    x = alt.X("x:Q", scale=alt.Scale(domain=[-5.6, 9.4]), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[42, 51.5]), axis=None)
    country = (
        alt.Chart(outline)
        .mark_line(
            filled=True, fill=GREY, fillOpacity=0.14, stroke=GREY, strokeWidth=1, interpolate="monotone"
        )
        .encode(x=x, y=y, order="order:O")
    )
    base = alt.Chart(discs).encode(
        x=x, y=y, tooltip=_tooltip(("name", say("WAREHOUSE_LOCATION")), ("bottles_text", say("BOTTLES")))
    )
    size = alt.Size("bottles:Q", scale=alt.Scale(domainMin=0, range=[0, 900]), legend=None)
    shown = base.mark_circle(color=WINE, opacity=0.75).encode(size=size)
    # Names stand towards the middle of the country, where there is room for them.
    label: dict[str, Any] = {"lineBreak": "\n", "dy": -6, "fontSize": 12, "color": _ink()}
    text = alt.Text("label:N")
    west = base.transform_filter("datum.x < 3.5").mark_text(align="left", dx=18, **label).encode(text=text)
    east = base.transform_filter("datum.x >= 3.5").mark_text(align="right", dx=-18, **label).encode(text=text)
    layers = alt.layer(country, shown, west, east)
    return _localised(layers.properties(height=330), formats)


def unplaced(frame: pd.DataFrame) -> list[str]:
    """The locations that the map cannot show."""
    return [name for name in _by_location(frame) if places.place(name) is None]


def running_balance(frame: pd.DataFrame, end: date, say: Say, formats: Formats) -> Chart:
    """The level in the evening as a step line, up to the end of the period."""
    step = max(1, (end - frame["DAY"].iloc[0]).days // _MOST_TICKS)
    last = frame.iloc[-1]
    if last["DAY"] < end:
        frame = pd.concat([frame, pd.DataFrame([{**last, "DAY": end, "CHANGE": 0}])], ignore_index=True)
    data = frame.assign(
        DAY=[f"{day.isoformat()}T00:00:00" for day in frame["DAY"]],
        BALANCE=frame["BALANCE"].astype(float),
        day_text=[formats.day(day) for day in frame["DAY"]],
        change_text=[formats.signed(value) for value in frame["CHANGE"]],
        balance_text=[formats.number(value) for value in frame["BALANCE"]],
    )
    base = alt.Chart(data).encode(
        x=alt.X(
            "yearmonthdate(DAY):T",
            title=None,
            axis=alt.Axis(
                labelExpr=_TIME_LABELS["day"],
                labelOverlap=True,
                grid=False,
                tickCount={"interval": "day", "step": step},
            ),
        ),
        y=alt.Y("BALANCE:Q", title=say("BALANCE"), axis=alt.Axis(tickCount=5, format=",.0f")),
        tooltip=_tooltip(
            ("day_text", say("DAY")), ("change_text", say("CHANGE")), ("balance_text", say("BALANCE"))
        ),
    )
    line = base.mark_line(color=WINE, interpolate="step-after", strokeWidth=2)
    points = base.mark_circle(color=WINE, size=40)
    return _localised((line + points).properties(height=260), formats)


def segments(frame: pd.DataFrame, say: Say, formats: Formats) -> Chart:
    """Customers by segment, from those one likes best."""
    data = pd.DataFrame(
        {
            "segment": [say(f"segment.{name}") for name in frame["SEGMENT"]],
            "customers": frame["CUSTOMERS"].astype(float),
            "customers_text": [formats.number(value) for value in frame["CUSTOMERS"]],
            "revenue_text": [formats.money(value) for value in frame["REVENUE"]],
        }
    )
    base = alt.Chart(data).encode(
        y=alt.Y("segment:N", sort=None, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False)),
        tooltip=_tooltip(
            ("segment", say("SEGMENT")),
            ("customers_text", say("CUSTOMERS")),
            ("revenue_text", say("REVENUE")),
        ),
    )
    scale = alt.Scale(domain=[0, float(data["customers"].max()) * 1.2])
    x = alt.X("customers:Q", scale=scale, axis=None)
    bars = base.mark_bar(color=WINE, cornerRadiusTopRight=3, cornerRadiusBottomRight=3).encode(x=x)
    values = base.mark_text(align="left", dx=5, color=_ink()).encode(x=x, text="customers_text:N")
    return _localised((bars + values).properties(height=_BAR * len(data) + 10), formats)


def cohorts(frame: pd.DataFrame, unit: str, say: Say, formats: Formats) -> Chart:
    """A row for each cohort, a column for each week or month after: the share that came back."""
    data = frame.assign(
        share=frame["SHARE"].astype(float),
        cohort=[_bucket(day, unit, formats) for day in frame["COHORT"]],
        share_text=[formats.share(value) for value in frame["SHARE"]],
        percent=[formats.number(value * 100) for value in frame["SHARE"]],
        customers_text=[formats.number(value) for value in frame["CUSTOMERS"]],
    )
    base = alt.Chart(data).encode(
        x=alt.X(
            "AGE:O",
            # As wide as a year of cohorts, so that a cell has one size in a young shop and in an old one.
            scale=alt.Scale(domain=list(range(queries.MOST_COHORTS))),
            title=say(f"AGE.{unit}"),
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False),
        ),
        y=alt.Y(
            "cohort:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelFlush=False, labelBound=False, ticks=False, domain=False),
        ),
        tooltip=_tooltip(
            ("cohort", say("COHORT")),
            ("AGE", say(f"AGE.{unit}")),
            ("share_text", say("RETURNED")),
            ("customers_text", say("CUSTOMERS")),
        ),
    )
    opacity = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.6]), legend=None)
    cells = base.mark_rect(color=WINE, cornerRadius=2).encode(opacity=opacity)
    # A cell of a phone has room for three digits, and the note above says that it is per cent.
    numbers = base.mark_text(fontSize=11, color=_ink()).encode(text="percent:N")
    return _localised((cells + numbers).properties(height=30 * data["cohort"].nunique() + 70), formats)


def counted(frame: pd.DataFrame, name: str, amount: str, say: Say, formats: Formats) -> Chart:
    """Horizontal bars of a plain count."""
    data = frame.assign(
        amount=frame[amount].astype(float), amount_text=[formats.number(value) for value in frame[amount]]
    )
    base = alt.Chart(data).encode(
        y=alt.Y(f"{name}:N", sort=None, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False)),
        tooltip=_tooltip((name, say(name)), ("amount_text", say(amount))),
    )
    scale = alt.Scale(domain=[0, max(float(data["amount"].max()), 1.0) * 1.2])
    x = alt.X("amount:Q", scale=scale, axis=None)
    bars = base.mark_bar(color=WINE, cornerRadiusTopRight=3, cornerRadiusBottomRight=3).encode(x=x)
    values = base.mark_text(align="left", dx=5, color=_ink()).encode(x=x, text="amount_text:N")
    return _localised((bars + values).properties(height=_BAR * len(data) + 10), formats)


def _ink() -> str:
    return _INK["dark" if st.context.theme.type == "dark" else "light"]


def _by_location(frame: pd.DataFrame) -> dict[str, int]:
    return {
        str(name): int(bottles)
        for name, bottles in frame.groupby("WAREHOUSE_LOCATION")["BOTTLES"].sum().items()
    }


def _bucket(day: date, unit: str, formats: Formats) -> str:
    if unit == "hour" and isinstance(day, datetime):
        return formats.moment(day)
    if unit == "month":
        return f"{_MONTHS[formats.language][day.month - 1]} {day.year}"
    return formats.day(day)


def _tooltip(*fields: tuple[str, str]) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:N", title=title) for name, title in fields]


def _localised(chart: Chart, formats: Formats) -> Chart:
    """Numbers and months on the axes in the page's language, whatever the browser's is."""
    months, days = list(_MONTHS[formats.language]), list(_DAYS[formats.language])
    time = {
        "dateTime": "%x %X",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["", ""],
        # d3 counts days from Sunday.
        "days": [days[-1], *days[:-1]],
        "shortDays": [days[-1], *days[:-1]],
        "months": months,
        "shortMonths": months,
    }
    named: Chart = chart.configure(locale={"number": _LOCALES[formats.language], "time": time})
    return named.configure_view(stroke=None)  # type: ignore[no-any-return]
