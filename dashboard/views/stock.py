"""Stock: what lies where, what runs out when, and what moved."""

from typing import Final

import streamlit as st

from dashboard import charts, queries
from dashboard.blocks import Figure, View, figures, section, table

FILTERS: Final = ("period", "category", "location")


def show(view: View) -> int | None:
    say, formats = view.say, view.formats
    days = queries.rate_days(view.choices.first, view.filters)
    st.caption(say("stock.now", days=days))
    levels = view.ask(queries.stock_levels)
    figures("stock", _figures(view, days))
    if levels.empty:
        st.info(say("no_data"))
        return None

    left, right = st.columns([3, 2])
    with left:
        section(say("stock.levels"))
        st.altair_chart(charts.stock_levels(levels, say, formats))
    with right:
        section(say("stock.map"), say("stock.map.note"))
        st.altair_chart(charts.stock_map(levels, say, formats))
        if names := charts.unplaced(levels):
            st.caption(say("stock.map.unplaced", names=", ".join(names)))

    note = say("stock.low.note", critical=queries.CRITICAL_DAYS, low=queries.LOW_DAYS)
    section(say("stock.low.title"), note)
    low = view.ask(queries.low_stock, days)
    if low.empty:
        st.success(say("stock.low.none"))
    else:
        low["STATE"] = [say(f"state.{state}") for state in low["STATE"]]
        table(
            view,
            "low_stock",
            low,
            {
                "STATE": None,
                "PRODUCT_NAME": None,
                "PRODUCT_CATEGORY": None,
                "BOTTLES": formats.number,
                "SOLD_A_DAY": lambda value: formats.number(value, 1),
                "COVER_DAYS": lambda value: formats.number(value, 1),
                "RUNS_OUT": formats.day,
            },
        )

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
            "WAREHOUSE_LOCATION": None,
            "ADJUSTMENT_TYPE": None,
            "QUANTITY_CHANGE": formats.signed,
            "REASON": None,
        },
    )
    return product


def _figures(view: View, days: int) -> list[Figure]:
    say, number = view.say, view.formats.number
    states = {line["STATE"]: line for line in view.ask(queries.stock_states, days).to_dict("records")}

    def products(*names: str) -> str:
        return number(sum(int(line["PRODUCTS"]) for state, line in states.items() if state in names))

    return [
        Figure(
            say("stock.bottles"),
            number(sum(int(line["BOTTLES"]) for line in states.values())),
            help=say("stock.bottles.help"),
        ),
        Figure(say("stock.products"), products(*states), help=say("stock.products.help")),
        Figure(say("stock.low"), products("LOW"), help=say("stock.low.help", days=queries.LOW_DAYS)),
        Figure(
            say("stock.critical"),
            products("CRITICAL"),
            help=say("stock.low.help", days=queries.CRITICAL_DAYS),
        ),
        Figure(say("stock.out"), products("OUT"), help=say("stock.out.help")),
    ]


def _balance(view: View) -> int | None:
    """The running balance of a product that one chooses; which one it is."""
    say, formats = view.say, view.formats
    section(say("stock.balance"))
    names = view.ask(queries.products)
    if st.session_state.get("product") not in names:
        asked = view.address.product
        st.session_state["product"] = asked if asked in names else next(iter(names))
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
