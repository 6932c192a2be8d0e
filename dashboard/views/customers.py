"""Clients: who buys, how often, and who comes back."""

from decimal import Decimal
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import charts, queries
from dashboard.blocks import Figure, View, figures, section, table

FILTERS: Final = ("period", "category", "channel")
# From those one likes best.
SEGMENTS: Final = ("CHAMPION", "LOYAL", "PROMISING", "NEW", "AT_RISK", "HIBERNATING")


def show(view: View) -> None:
    say, formats = view.say, view.formats
    st.caption(view.compared())
    lines = {bool(line["NOW"]): line for line in view.ask(queries.customer_totals).to_dict("records")}
    now, before = _shares(lines.get(True)), _shares(lines.get(False))
    figures("customers", _figures(view, now, before))
    if not now["CUSTOMERS"]:
        st.info(say("no_data"))
        return

    section(say("customers.segments"), say("customers.segments.note"))
    scored = view.ask(queries.scored_customers)
    segments = queries.segments(scored)
    segments = segments.sort_values("SEGMENT", key=lambda names: names.map(SEGMENTS.index), ignore_index=True)
    left, right = st.columns([2, 3])
    with left:
        st.altair_chart(charts.segments(segments, say, formats))
    with right:
        segments["RULE"] = [say(f"segment.{name}.rule") for name in segments["SEGMENT"]]
        segments["SEGMENT"] = [say(f"segment.{name}") for name in segments["SEGMENT"]]
        table(
            view,
            "segments",
            segments,
            {
                "SEGMENT": None,
                "CUSTOMERS": formats.number,
                "REVENUE": formats.money,
                "BASKETS": formats.number,
                "DAYS_SINCE": partial(formats.number, decimals=1),
                "RULE": None,
            },
        )

    unit = queries.cohort_unit(view.choices.first, view.filters)
    section(say("customers.cohorts"), say(f"customers.cohorts.note.{unit}"))
    cohorts = _with_share(view.ask(queries.cohorts, unit))
    st.altair_chart(charts.cohorts(cohorts, unit, say, formats))
    renamed = cohorts.rename(columns={"AGE": f"AGE.{unit}"})
    kinds = {"COHORT": formats.day, f"AGE.{unit}": formats.number, "CUSTOMERS": formats.number}
    table(view, "cohorts", renamed, {**kinds, "RETURNED": formats.share})

    section(say("customers.best"))
    best = queries.best_customers(scored)
    best["SEGMENT"] = [say(f"segment.{name}") for name in best["SEGMENT"]]
    scores = dict.fromkeys(("RECENCY", "FREQUENCY", "MONETARY"), formats.number)
    table(
        view,
        "customers",
        best,
        {
            "CUSTOMER_ID": None,
            "SEGMENT": None,
            "REVENUE": formats.money,
            "BASKETS": formats.number,
            "LAST_ORDER": formats.day,
            **scores,
        },
    )


def _shares(line: dict[str, Any] | None) -> dict[str, Any]:
    """The totals per customer; zeros where there is none."""
    if line is None:
        return dict.fromkeys(("CUSTOMERS", "NEW", "REPEATED", "BASKETS", "REVENUE"), Decimal(0))
    people = Decimal(int(line["CUSTOMERS"]))
    shares = {name: Decimal(line[name]) / people for name in ("REPEATED", "BASKETS", "REVENUE")}
    return {"CUSTOMERS": line["CUSTOMERS"], "NEW": line["NEW"], **shares}


def _figures(view: View, now: dict[str, Any], before: dict[str, Any]) -> list[Figure]:
    say, formats = view.say, view.formats
    shown = (
        ("customers", "CUSTOMERS", formats.number),
        ("new", "NEW", formats.number),
        ("repeated", "REPEATED", partial(formats.share, decimals=1)),
        ("baskets", "BASKETS", partial(formats.number, decimals=2)),
        ("revenue", "REVENUE", formats.money),
    )
    return [
        Figure(
            say(f"customers.{name}"),
            write(now[column]),
            formats.change(now[column], before[column]) if view.comparable else None,
            say(f"customers.{name}.help"),
        )
        for name, column, write in shown
    ]


def _with_share(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Each line beside the size of its cohort, which is its line of age 0."""
    sizes = {line["COHORT"]: line["CUSTOMERS"] for line in cohorts.to_dict("records") if line["AGE"] == 0}
    share = [line["CUSTOMERS"] / sizes[line["COHORT"]] for line in cohorts.to_dict("records")]
    return cohorts.assign(SHARE=share, RETURNED=share)
