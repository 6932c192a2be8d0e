"""The tables of docs/scaling.md, by the name that stands before each of them on the page."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.scaling import parameters as p
from bench.scaling.capacity import (
    buffer_mb,
    capacity,
    most_through_offsets,
    rate_of_one,
)
from bench.scaling.cost import SETUPS, Setup, day, largest_rate
from bench.scaling.events import EVENTS, sample, spread
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

PAGE: Final = Path(__file__).parents[2] / "docs" / "scaling.md"
VOLUMES: Final = (10, 2_000, 100_000)
PEAK: Final = 1_000_000
HISTORIES: Final = (10_000_000, 1_000_000_000, 100_000_000_000)
_PLACE: Final = re.compile(r"(?P<mark><!-- from bench/scaling: (?P<name>\w+) -->\n)\n(?:\|[^\n]*\n)*")
_DEPLOYED, _, _STREAMED, _SERVERLESS = SETUPS


def written(page: str) -> str:
    """The page with every table made anew."""
    return _PLACE.sub(lambda found: f"{found['mark']}\n{TABLES[found['name']]()}", page)


def parameters() -> str:
    rows = sorted(p.ALL, key=lambda each: list(p.Origin).index(each.origin))
    return _table(
        ("what", "value", "which is", "from"),
        (
            [each.meaning, f"{each.value:,.10g} {each.unit}".strip(), each.origin, each.source]
            for each in rows
        ),
        "lrll",
    )


def sizes() -> str:
    credits_per_hour = p.CREDITS_PER_HOUR
    return _table(
        ("", *credits_per_hour), [["credits an hour", *map(str, credits_per_hour.values())]], "l" + "r" * 10
    )


def message() -> str:
    whole, values = sample().message_bytes, sample().value_bytes
    return _table(
        (f"of {EVENTS:,} seeded events", "bytes", "credits per million, streamed", "USD"),
        [
            [name, f"{size:.0f}", f"{_streamed(size):.5f}", f"{_streamed(size) * p.CREDIT_USD.value:.4f}"]
            for name, size in (("the whole message", whole), ("its values, without field names", values))
        ],
        "lrrr",
    )


def grows() -> str:
    found = [capacity(rate) for rate in (*VOLUMES, PEAK)]
    return _table(
        (
            "events/s",
            "MB/s",
            "ingestors",
            "Kafka partitions",
            "KAFKA_OFFSETS is locked",
            "channels, at least",
        ),
        (
            [
                f"{each.rate:,.0f}",
                f"{each.megabytes:,.3g}",
                str(each.ingestors),
                str(each.partitions),
                _percent(each.lock_share),
                str(each.channels),
            ]
            for each in found
        ),
        "rrrrrr",
    )


def batches() -> str:
    return _table(
        (
            "rows a batch",
            "one ingestor, rows/s",
            "KAFKA_OFFSETS locked all the time at",
            "`--buffer-mb`, at least",
        ),
        (
            [
                f"{rows:,}",
                _round(rate_of_one(rows)),
                f"{most_through_offsets(rows):,.0f}/s",
                str(buffer_mb(rows)),
            ]
            for rows in (20_000, 50_000, 100_000, 500_000)
        ),
        "rrrr",
    )


def keys() -> str:
    return _table(
        (
            "Kafka partitions",
            "with events",
            "the busiest has",
            "events/s when it is too much for one ingestor",
            "for one channel",
        ),
        (
            [
                str(each.partitions),
                str(each.used),
                _percent(each.busiest_share),
                _round(p.ONE_INGESTOR.value / each.busiest_share),
                _round(_channel_events() / each.busiest_share),
            ]
            for each in map(spread, (4, 8, 32, 128, 512))
        ),
        "rrrrr",
    )


def columns() -> str:
    rows = [[each.procedure, each.reads, each.why, f"{each.bytes_per_event:.1f}"] for each in scans()]
    return _table(
        ("procedure", "reads of all history", "to know", "bytes per event kept"),
        [*rows, ["together", "", "", f"{scanned_bytes(1):.1f}"]],
        "lllr",
    )


def scanned() -> str:
    return _table(
        ("events kept", "a tick reads", "an XS is busy for", "size that ends in time"),
        (
            [
                f"{kept:,}",
                _bytes(scanned_bytes(kept)),
                f"{scan_seconds(kept):,.0f} s",
                size_for(kept) or "none",
            ]
            for kept in HISTORIES
        ),
        "rrrl",
    )


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
                    _percent(reached(orders, partitions)),
                    _bytes(rewritten_bytes(rate, kept)),
                ]
            )
    return _table(
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
    return _table(
        ("late events", "ORDER_DATE as loaded", "clustered by day", "clustered by hour"),
        (
            [f"{share * 100:g} %", _percent(found.as_loaded), _percent(found.by_day), _percent(found.by_hour)]
            for share in (0.0, 0.00001, 0.0001, 0.001, 0.01)
            for found in (pruned(share, events),)
        ),
        "rrrr",
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
    return _table(
        ("", "events/s", "size", "credits a day", "credits per million events", "USD per million events"),
        rows,
        "lrlrrr",
    )


def doubts() -> str:
    return _table(
        ("", "events/s", "half of the seconds assumed", "as assumed", "twice"),
        (
            [setup.name, f"{rate:,}", *(_usd(setup, rate, work) for work in (0.5, 1.0, 2.0))]
            for setup in (_DEPLOYED, _SERVERLESS)
            for rate in VOLUMES
        ),
        "lrrrr",
    )


def stored() -> str:
    production = ("ORDERS and INVENTORY_HISTORY, taken to be as staged", p.STAGED_MB.value)
    layers = (("RAW", p.RAW_MB.value), ("STAGING", p.STAGED_MB.value), production)
    rows = [[name, *_storage(size)] for name, size in layers]
    return _table(
        ("layer", "MB per million", "USD a month per million", "100 billion", "USD a month"),
        [*rows, ["together", *_storage(sum(size for _, size in layers))]],
        "lrrrr",
    )


def breaks() -> str:
    """What gives way at which number, in the order in which it is met."""
    kept = most_events_kept("XS")
    share = max(sample().keys.values()) / sample().keys.total()
    steps = [
        (
            p.ONE_INGESTOR.value,
            "one ingestor a way off waits for answers",
            "more of the group; partitions for them",
        ),
        (
            largest_rate(_DEPLOYED, "XS"),
            "an XS that loads and ticks is busy for 80 % of the time",
            "the next size; a warehouse of its own for the tasks",
        ),
        (
            most_through_offsets(p.BATCH_ROWS.value),
            "every batch locks KAFKA_OFFSETS to its COMMIT",
            "larger batches; then Snowpipe Streaming, which has no such table",
        ),
        (
            p.ONE_INGESTOR.value / share,
            "one product's events are too many for one ingestor",
            "larger batches; a key with more values than products (see below)",
        ),
        (
            largest_rate(_SERVERLESS, p.LARGEST_SERVERLESS),
            f"a serverless task is no larger than {p.LARGEST_SERVERLESS}",
            "a warehouse for the tasks",
        ),
        (
            _channel_events() / share,
            "one product's events are too many for one channel",
            "as above; ask Snowflake",
        ),
        (
            p.CHANNELS.value / 2 * p.FOUR_INGESTORS.value / 4,
            "the partitions, two for each ingestor, are more than a pipe has channels",
            "several pipes on the table; faster ingestors",
        ),
        (
            largest_rate(_STREAMED, "6XL"),
            "no warehouse is large enough for the four procedures in a minute",
            "split by topic: a pipeline for each",
        ),
        (p.TABLE_GB.value * 1e9 / sample().message_bytes, "the most that one table takes", "more tables"),
    ]
    rows = [
        [
            f"{_round(kept)} events kept",
            "the lookups in history take an XS longer than a minute",
            "see below",
        ],
        *([f"{_round(rate)} events/s", what, then] for rate, what, then in sorted(steps)),
    ]
    return _table(("at", "what breaks first", "then"), rows, "lll")


def ages() -> str:
    """How long it takes until the lookups are too much for a tick."""
    rows = []
    for rate in (*VOLUMES, PEAK):
        days = {size: most_events_kept(size) / rate / 86_400 for size in ("XS", "L", "4XL")}
        all_of_it = HISTORIES[-1] / rate / 86_400
        rows.append([f"{rate:,}", *map(_duration, days.values()), _duration(all_of_it)])
    return _table(("events/s", "XS", "L", "4XL", "100 billion events"), rows, "rrrrr")


def buffered() -> str:
    held = p.LATENCY_SECONDS.value * sample().message_bytes / 2**20
    rows = [(name, rate, rate * held) for name, rate in _ingestor_rates()]
    return _table(
        ("an ingestor that reads", "events/s", "MiB that are appended and not yet committed"),
        ([name, _round(rate), f"{megabytes:,.0f}"] for name, rate, megabytes in rows),
        "lrr",
    )


TABLES: Final[dict[str, Callable[[], str]]] = {
    each.__name__: each
    for each in (
        parameters,
        sizes,
        message,
        grows,
        batches,
        keys,
        columns,
        scanned,
        ages,
        rewritten,
        pruning,
        costs,
        doubts,
        stored,
        breaks,
        buffered,
    )
}


def _ingestor_rates() -> tuple[tuple[str, float], ...]:
    return (
        ("as fast as one loads today, warehouse near", p.ONE_INGESTOR_NEAR.value),
        ("as much as one channel takes", _channel_events()),
    )


def _channel_events() -> float:
    return p.CHANNEL_MB.value * 1e6 / sample().message_bytes


def _streamed(message_bytes: float) -> float:
    return message_bytes * 1e6 / 1e9 * p.STREAMING.value


def _usd(setup: Setup, rate: float, work: float) -> str:
    found = day(setup, rate, work)
    return f"{found.usd_per_million:,.2f} ({found.size})" if found else "none is large enough"


def _storage(megabytes: float) -> list[str]:
    usd = megabytes / 1e6 * p.TERABYTE_USD.value
    return [f"{megabytes:.0f}", f"{usd:.4f}", _bytes(megabytes * 1e6 * 1e5), f"{usd * 1e5:,.0f}"]


def _percent(share: float) -> str:
    if share >= 0.1 or not share:
        return f"{share * 100:.0f} %"
    return f"{share * 100:.2g} %"


def _round(value: float) -> str:
    """Three digits: more would promise too much."""
    return f"{float(f'{value:.3g}'):,.0f}"


def _bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{float(f'{count / size:.3g}'):,.10g} {unit}"
    return f"{count / 1e6:.0f} MB"


def _duration(days: float) -> str:
    if days >= 2 * 365:
        return f"{days / 365:.0f} years"
    if days >= 2:
        return f"{_round(days)} days"
    return f"{days * 24:.0f} hours" if days >= 2 / 24 else f"{days * 1440:.0f} minutes"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    rule = ["---:" if side == "r" else "---" for side in align]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))
