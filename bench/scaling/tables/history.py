"""What a tick reads of all that was ever kept, and what it writes anew."""

from bench.scaling import parameters as p
from bench.scaling.history import (
    ORDER_SHARE,
    most_events_kept,
    partitions_of_orders,
    pruned,
    reached,
    rewritten_bytes,
    scan_seconds,
    scanned_bytes,
    scans,
    size_for,
)
from bench.scaling.tables.cells import duration, in_bytes, percent, table
from bench.scaling.tables.volumes import HISTORIES, PEAK, VOLUMES


def columns() -> str:
    rows = [[each.procedure, each.reads, each.why, f"{each.bytes_per_event:.1f}"] for each in scans()]
    return table(
        ("procedure", "reads of all history", "to know", "bytes per event kept"),
        [*rows, ["together", "", "", f"{scanned_bytes(1):.1f}"]],
        "lllr",
    )


def scanned() -> str:
    return table(
        ("events kept", "a tick reads", "an XS is busy for", "size that ends in time"),
        (
            [
                f"{kept:,}",
                in_bytes(scanned_bytes(kept)),
                f"{scan_seconds(kept):,.0f} s",
                size_for(kept) or "none",
            ]
            for kept in HISTORIES
        ),
        "rrrl",
    )


def ages() -> str:
    """How long it takes until the lookups are too much for a tick."""
    rows = []
    for rate in (*VOLUMES, PEAK):
        days = {size: most_events_kept(size) / rate / 86_400 for size in ("XS", "L", "4XL")}
        all_of_it = HISTORIES[-1] / rate / 86_400
        rows.append([f"{rate:,}", *map(duration, days.values()), duration(all_of_it)])
    return table(("events/s", "XS", "L", "4XL", "100 billion events"), rows, "rrrrr")


def rewritten() -> str:
    rows = []
    for kept in HISTORIES:
        partitions = partitions_of_orders(kept)
        for rate in VOLUMES:
            orders = rate * p.SCHEDULE_SECONDS.value * ORDER_SHARE
            rows.append(
                [
                    f"{kept:,}",
                    f"{rate:,}",
                    f"{partitions:,.0f}",
                    percent(reached(orders, partitions)),
                    in_bytes(rewritten_bytes(rate, kept)),
                ]
            )
    return table(
        (
            "events kept",
            "events/s",
            "micro-partitions of ORDERS",
            "of them a tick's random keys reach",
            "its corrections rewrite",
        ),
        rows,
        "rrrrr",
    )


def pruning() -> str:
    events = 2_000 * int(p.SCHEDULE_SECONDS.value)
    return table(
        ("late events", "ORDER_DATE as loaded", "clustered by day", "clustered by hour"),
        (
            [f"{share * 100:g} %", percent(found.as_loaded), percent(found.by_day), percent(found.by_hour)]
            for share in (0.0, 0.00001, 0.0001, 0.001, 0.01)
            for found in (pruned(share, events),)
        ),
        "rrrr",
    )
