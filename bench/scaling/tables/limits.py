"""What gives way at which number, in the order in which it is met."""

from bench.scaling import parameters as p
from bench.scaling.capacity import channel_events, most_through_offsets
from bench.scaling.cost import DEPLOYED, SERVERLESS, STREAMED, largest_rate
from bench.scaling.events import sample
from bench.scaling.history import most_events_kept
from bench.scaling.tables.cells import rounded, table


def breaks() -> str:
    kept = most_events_kept("XS")
    share = max(sample().keys.values()) / sample().keys.total()
    steps = [
        (
            p.ONE_INGESTOR.value,
            "one ingestor a way off waits for answers",
            "more of the group; partitions for them",
        ),
        (
            largest_rate(DEPLOYED, "XS"),
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
            largest_rate(SERVERLESS, p.LARGEST_SERVERLESS),
            f"a serverless task is no larger than {p.LARGEST_SERVERLESS}",
            "a warehouse for the tasks",
        ),
        (
            channel_events() / share,
            "one product's events are too many for one channel",
            "as above; ask Snowflake",
        ),
        (
            p.CHANNELS.value / 2 * p.FOUR_INGESTORS.value / 4,
            "the partitions, two for each ingestor, are more than a pipe has channels",
            "several pipes on the table; faster ingestors",
        ),
        (
            largest_rate(STREAMED, "6XL"),
            "no warehouse is large enough for the four procedures in a minute",
            "split by topic: a pipeline for each",
        ),
        (p.TABLE_GB.value * 1e9 / sample().message_bytes, "the most that one table takes", "more tables"),
    ]
    rows = [
        [
            f"{rounded(kept)} events kept",
            "the lookups in history take an XS longer than a minute",
            "see below",
        ],
        *([f"{rounded(rate)} events/s", what, then] for rate, what, then in sorted(steps)),
    ]
    return table(("at", "what breaks first", "then"), rows, "lll")
