"""Credits and dollars: of computing, and of what is stored."""

from bench.scaling import parameters as p
from bench.scaling.cost import DEPLOYED, SERVERLESS, SETUPS, Setup, day
from bench.scaling.tables.cells import in_bytes, table
from bench.scaling.tables.volumes import PEAK, VOLUMES


def sizes() -> str:
    credits_per_hour = p.CREDITS_PER_HOUR
    return table(
        ("", *credits_per_hour), [["credits an hour", *map(str, credits_per_hour.values())]], "l" + "r" * 10
    )


def costs() -> str:
    rows = []
    for setup in SETUPS:
        for rate in (*VOLUMES, PEAK) if setup.streams else VOLUMES:
            found = day(setup, rate)
            figures = ["none", "", "", ""]
            if found is not None:
                figures = [
                    found.size,
                    f"{found.credits:,.1f}",
                    f"{found.credits_per_million:,.3g}",
                    f"{found.usd_per_million:,.2f}",
                ]
            rows.append([setup.name, f"{rate:,}", *figures])
    return table(
        ("", "events/s", "size", "credits a day", "credits per million events", "USD per million events"),
        rows,
        "lrlrrr",
    )


def doubts() -> str:
    return table(
        ("", "events/s", "half of the seconds assumed", "as assumed", "twice"),
        (
            [setup.name, f"{rate:,}", *(_usd(setup, rate, work) for work in (0.5, 1.0, 2.0))]
            for setup in (DEPLOYED, SERVERLESS)
            for rate in VOLUMES
        ),
        "lrrrr",
    )


def stored() -> str:
    production = ("ORDERS and INVENTORY_HISTORY, taken to be as staged", p.STAGED_MB.value)
    layers = (("RAW", p.RAW_MB.value), ("STAGING", p.STAGED_MB.value), production)
    rows = [[name, *_storage(size)] for name, size in layers]
    return table(
        ("layer", "MB per million", "USD a month per million", "100 billion", "USD a month"),
        [*rows, ["together", *_storage(sum(size for _, size in layers))]],
        "lrrrr",
    )


def _usd(setup: Setup, rate: float, work: float) -> str:
    found = day(setup, rate, work)
    return f"{found.usd_per_million:,.2f} ({found.size})" if found else "none is large enough"


def _storage(megabytes: float) -> list[str]:
    usd = megabytes / 1e6 * p.TERABYTE_USD.value
    return [f"{megabytes:.0f}", f"{usd:.4f}", in_bytes(megabytes * 1e6 * 1e5), f"{usd * 1e5:,.0f}"]
