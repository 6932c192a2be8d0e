"""Stock: what lies where, what runs out when, and what moved."""

from functools import partial
from typing import Final

import streamlit as st

from dashboard import charts, queries
from dashboard.blocks import Figure, View, figures, section, table

FILTERS: Final = ("period", "category", "location")


def show(view: View) -> int | None:
    say, formats = view.say, view.formats
    st.caption(say("stock.now"))
    figures("stock", _figures(view, view.ask(queries.stock_totals)))
    levels = view.ask(queries.stock_levels)
    if levels.empty:
        st.info(say("no_data"))
        return None

    left, right = st.columns([3, 2])
    with left:
        section(say("stock.levels"), say("stock.levels.note"))
        st.altair_chart(charts.stock_levels(levels, say, formats))
    with right:
        section(say("stock.map"), say("stock.map.note"))
        st.altair_chart(charts.stock_map(levels, say, formats))
        if names := charts.unplaced(levels):
            st.caption(say("stock.map.unplaced", names=", ".join(names)))
    with st.expander(say("as_table")):
        numbers = {"BOTTLES": formats.number, "PRODUCTS": formats.number}
        table(view, "stock_levels", levels, {"WAREHOUSE_LOCATION": None, "PRODUCT_CATEGORY": None, **numbers})

    _low(view)
    _running_out(view)
    product = _balance(view)

    shown = {"start": formats.day(view.filters.start), "end": formats.day(view.filters.end)}
    section(say("stock.movements"), say("period.shown", **shown))
    movements = view.ask(queries.movements)
    kinds = {kind: say(f"movement.{kind}") for kind in ("REPLENISHMENT", "CORRECTION", "SPOILAGE")}
    movements["ADJUSTMENT_TYPE"] = [kinds.get(kind, kind) for kind in movements["ADJUSTMENT_TYPE"]]
    table(
        view,
        "movements",
        movements,
        {
            "MOVED_AT": formats.moment,
            "PRODUCT_NAME": None,
            "QUANTITY_CHANGE": formats.signed,
            "RUNNING_BALANCE": formats.number,
            "WAREHOUSE_LOCATION": None,
            "ADJUSTMENT_TYPE": None,
            "REASON": None,
        },
    )
    return product


def _figures(view: View, totals: dict[str, int]) -> list[Figure]:
    days = queries.SOON_DAYS
    return [
        Figure(
            view.say(f"stock.{name}", days=days),
            view.formats.number(totals[name.upper()]),
            help=view.say(f"stock.{name}.help", days=days),
        )
        for name in ("bottles", "products", "critical", "low", "soon")
    ]


def _low(view: View) -> None:
    say, formats = view.say, view.formats
    section(say("stock.shelves"), say("stock.shelves.note"))
    low = view.ask(queries.low_stock)
    if low.empty:
        st.success(say("stock.shelves.none"))
        return
    low["STOCK_STATUS"] = [say(f"state.{state}") for state in low["STOCK_STATUS"]]
    table(
        view,
        "low_stock",
        low,
        {
            "PRODUCT_NAME": None,
            "STOCK_LEVEL": formats.number,
            "STOCK_STATUS": None,
            "WAREHOUSE_LOCATION": None,
            "PRODUCT_CATEGORY": None,
            "PRODUCT_DAYS_OF_COVER": partial(formats.number, decimals=1),
            "PRODUCT_RUN_OUT_DATE": formats.day,
        },
    )


def _running_out(view: View) -> None:
    say, formats = view.say, view.formats
    found = view.ask(queries.running_out)
    if found.empty:
        section(say("stock.running_out"))
        st.info(say("no_data"))
        return
    section(say("stock.running_out"), say("stock.running_out.note", days=int(found["WINDOW_DAYS"][0])))
    table(
        view,
        "running_out",
        found,
        {
            "PRODUCT_NAME": None,
            "RUN_OUT_DATE": formats.day,
            "DAYS_OF_COVER": partial(formats.number, decimals=1),
            "STOCK_LEVEL": formats.number,
            "AVG_DAILY_SALE": partial(formats.number, decimals=1),
            "PRODUCT_CATEGORY": None,
        },
    )


def _balance(view: View) -> int | None:
    """The running balance of a product that one chooses; which one it is."""
    say, formats = view.say, view.formats
    section(say("stock.balance"))
    names = view.ask(queries.products)
    wanted = st.session_state.get("product"), view.address.product
    # Set in each run, as the filters are: see `sidebar`.
    st.session_state["product"] = next((number for number in wanted if number in names), next(iter(names)))
    product: int = st.selectbox(
        say("product"), list(names), key="product", format_func=lambda number: f"{names[number]} · {number}"
    )
    balance = view.ask(queries.running_balance, product)
    if balance.empty:
        st.info(say("no_data"))
        return product
    st.altair_chart(charts.running_balance(balance, view.filters.end, say, formats))
    table(
        view,
        "running_balance",
        balance.sort_values("DAY", ascending=False, ignore_index=True),
        {"DAY": formats.day, "CHANGE": formats.signed, "BALANCE": formats.number},
    )
    return product
