"""Events, partitions, ingestors and what they hold."""

from bench.scaling import parameters as p
from bench.scaling.capacity import buffer_mb, capacity, channel_events, most_through_offsets, rate_of_one
from bench.scaling.cost import streaming_credits
from bench.scaling.events import EVENTS, sample, spread
from bench.scaling.tables.cells import percent, rounded, table
from bench.scaling.tables.volumes import PEAK, VOLUMES


def message() -> str:
    sizes = {
        "the whole message": sample().message_bytes,
        "its values, without field names": sample().value_bytes,
    }
    streamed = {name: streaming_credits(size) for name, size in sizes.items()}
    return table(
        (f"of {EVENTS:,} seeded events", "bytes", "credits per million, streamed", "USD"),
        [
            [name, f"{size:.0f}", f"{streamed[name]:.5f}", f"{streamed[name] * p.CREDIT_USD.value:.4f}"]
            for name, size in sizes.items()
        ],
        "lrrr",
    )


def grows() -> str:
    found = [capacity(rate) for rate in (*VOLUMES, PEAK)]
    return table(
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
                percent(each.lock_share),
                str(each.channels),
            ]
            for each in found
        ),
        "rrrrrr",
    )


def batches() -> str:
    return table(
        (
            "rows a batch",
            "one ingestor, rows/s",
            "KAFKA_OFFSETS locked all the time at",
            "`--buffer-mb`, at least",
        ),
        (
            [
                f"{rows:,}",
                rounded(rate_of_one(rows)),
                f"{most_through_offsets(rows):,.0f}/s",
                str(buffer_mb(rows)),
            ]
            for rows in (20_000, 50_000, 100_000, 500_000)
        ),
        "rrrr",
    )


def keys() -> str:
    return table(
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
                percent(each.busiest_share),
                rounded(p.ONE_INGESTOR.value / each.busiest_share),
                rounded(channel_events() / each.busiest_share),
            ]
            for each in map(spread, (4, 8, 32, 128, 512))
        ),
        "rrrrr",
    )


def buffered() -> str:
    held = p.LATENCY_SECONDS.value * sample().message_bytes / 2**20
    rows = [
        ("as fast as one loads today, warehouse near", p.ONE_INGESTOR_NEAR.value),
        ("as much as one channel takes", channel_events()),
    ]
    return table(
        ("an ingestor that reads", "events/s", "MiB that are appended and not yet committed"),
        ([name, rounded(rate), f"{rate * held:,.0f}"] for name, rate in rows),
        "lrr",
    )
