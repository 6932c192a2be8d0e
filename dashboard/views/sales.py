"""Ventes: what was sold in the period, and how that compares with the period before."""

from decimal import Decimal
from typing import Any, Final

import streamlit as st

from dashboard import charts, queries
from dashboard.blocks import Figure, View, figures, section, table

FILTERS: Final = ("period", "category", "channel")


def show(view: View) -> None:
    say, formats = view.say, view.formats
    st.caption(view.compared())
    now, before = _totals(view)
    figures("sales", _figures(view, now, before))
    if not now["ORDERS"]:
        st.info(say("no_data"))
        return

    unit = queries.bucket(view.filters)
    section(say(f"sales.over_time.{unit}"))
    over_time = view.ask(queries.revenue_over_time)
    st.altair_chart(charts.revenue_over_time(over_time, unit, say, formats))

    left, right = st.columns(2)
    for column, title, place in (
        ("PRODUCT_CATEGORY", "sales.by_category", left),
        ("SALES_CHANNEL", "sales.by_channel", right),
    ):
        with place:
            section(say(title))
            answer = view.ask(queries.revenue_by, column)
            st.altair_chart(charts.ranked(answer, column, say, formats))

    section(say("sales.by_hour"), say("sales.by_hour.note"))
    st.altair_chart(charts.heat_map(view.ask(queries.revenue_by_hour), say, formats))

    wines = view.ask(queries.top_wines)
    section(say("sales.top_wines"), say("sales.top_wines.note", count=len(wines)))
    # What matters most stands first: a phone shows two columns or three.
    numbers = {"REVENUE": formats.money, "BOTTLES": formats.number, "ORDERS": formats.number}
    table(view, "top_wines", wines, {"PRODUCT_NAME": None, **numbers, "PRODUCT_CATEGORY": None})

    customers = view.ask(queries.top_customers)
    section(say("sales.top_customers"), say("sales.top_wines.note", count=len(customers)))
    table(view, "top_customers", customers, {"CUSTOMER_ID": None, **numbers, "LAST_ORDER": formats.day})


def _totals(view: View) -> tuple[dict[str, Any], dict[str, Any]]:
    lines = {bool(line["NOW"]): line for line in view.ask(queries.sales_totals).to_dict("records")}
    nothing = {"ORDERS": 0, "CUSTOMERS": 0, "REVENUE": Decimal(0), "BOTTLES": 0, "BASKETS": 0}
    return lines.get(True, nothing), lines.get(False, nothing)


def _figures(view: View, now: dict[str, Any], before: dict[str, Any]) -> list[Figure]:
    say, formats = view.say, view.formats
    for line in (now, before):
        line["BASKET"] = Decimal(line["REVENUE"]) / line["BASKETS"] if line["BASKETS"] else Decimal(0)
    shown = (
        ("orders", "ORDERS", formats.number),
        ("customers", "CUSTOMERS", formats.number),
        ("revenue", "REVENUE", formats.money),
        ("basket", "BASKET", formats.money),
        ("bottles", "BOTTLES", formats.number),
    )
    return [
        Figure(
            say(f"sales.{name}"),
            write(now[column]),
            formats.change(now[column], before[column]) if view.comparable else None,
            say(f"sales.{name}.help"),
        )
        for name, column, write in shown
    ]
