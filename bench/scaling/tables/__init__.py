"""The tables of docs/scaling.md, by the name that stands before each of them on the page."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.scaling import parameters as p
from bench.scaling.tables import cost, history, limits, loading
from bench.scaling.tables.cells import table

PAGE: Final = Path(__file__).parents[3] / "docs" / "scaling.md"
_PLACE: Final = re.compile(r"(?P<mark><!-- from bench/scaling: (?P<name>\w+) -->\n)\n(?:\|[^\n]*\n)*")


def written(page: str) -> str:
    """The page with every table made anew."""
    return _PLACE.sub(lambda found: f"{found['mark']}\n{TABLES[found['name']]()}", page)


def parameters() -> str:
    rows = sorted(p.ALL, key=lambda each: list(p.Origin).index(each.origin))
    return table(
        ("what", "value", "which is", "from"),
        (
            [each.meaning, f"{each.value:,.10g} {each.unit}".strip(), each.origin, each.source]
            for each in rows
        ),
        "lrll",
    )


TABLES: Final[dict[str, Callable[[], str]]] = {
    each.__name__: each
    for each in (
        parameters,
        cost.sizes,
        loading.message,
        loading.grows,
        loading.batches,
        loading.keys,
        history.columns,
        history.scanned,
        history.ages,
        history.rewritten,
        history.pruning,
        cost.costs,
        cost.doubts,
        cost.stored,
        limits.breaks,
        loading.buffered,
    )
}
