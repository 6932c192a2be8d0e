"""A day of the pipeline, simulated tick by tick and batch by batch, in credits."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from bench.scaling import parameters as p
from bench.scaling.billing import Busy, billed_seconds
from bench.scaling.events import sample

DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True)
class Setup:
    """How events come in, and what runs the tasks."""

    name: str
    schedule_seconds: float = p.SCHEDULE_SECONDS.value
    batch_seconds: float | None = p.BATCH_SECONDS.value
    serverless: bool = False

    @property
    def streams(self) -> bool:
        """Whether Snowpipe Streaming loads, and not the ingestor's own INSERT."""
        return self.batch_seconds is None


DEPLOYED: Final = Setup("as deployed")
RARELY: Final = Setup("as deployed, `--batch-seconds 600` and a tick every 10 minutes", 600.0, 600.0)
STREAMED: Final = Setup("Snowpipe Streaming, tasks on a warehouse", batch_seconds=None)
SERVERLESS: Final = Setup("Snowpipe Streaming, serverless tasks", batch_seconds=None, serverless=True)
SETUPS: Final = (DEPLOYED, RARELY, STREAMED, SERVERLESS)


@dataclass(frozen=True)
class Day:
    size: str
    credits: float
    millions: float

    @property
    def credits_per_million(self) -> float:
        return self.credits / self.millions

    @property
    def usd_per_million(self) -> float:
        return self.credits_per_million * p.CREDIT_USD.value


def day(setup: Setup, rate: float, work: float = 1.0) -> Day | None:
    """A day at `rate` events a second, or None when no size is large enough.

    `work` scales what is assumed of Snowflake's speed. What a tick reads of history comes on top: see
    `history`.
    """
    millions = rate * DAY_SECONDS / 1e6
    size = _size(setup, rate, work)
    if size is None:
        return None
    times = p.CREDITS_PER_HOUR[size]
    tick = _tick_seconds(setup, rate, times, work)
    begins = [number * setup.schedule_seconds for number in range(int(DAY_SECONDS / setup.schedule_seconds))]
    ticks = [(begin, begin + tick) for begin in begins]
    if setup.serverless:
        credits_used = len(ticks) * tick * times / 3600 * p.SERVERLESS.value
    else:
        busy = chain(ticks, _loads(setup, rate, times, work))
        # The warehouse rests after the last tick of the day as before the first: the day wraps around.
        credits_used = min(DAY_SECONDS, billed_seconds(busy)) * times / 3600
    if setup.streams:
        credits_used += millions * streaming_credits(sample().message_bytes)
    return Day(size, credits_used, millions)


def streaming_credits(message_bytes: float) -> float:
    """What Snowpipe Streaming asks for a million messages of this size."""
    return message_bytes * 1e6 / 1e9 * p.STREAMING.value


def largest_rate(setup: Setup, size: str, work: float = 1.0) -> float:
    """Events a second that a warehouse of this size bears."""
    times = p.CREDITS_PER_HOUR[size]
    fixed = p.TICK_SECONDS.value * work / setup.schedule_seconds
    per_event = p.TRANSFORM_SECONDS.value + (0 if setup.streams else p.LOAD_SECONDS.value)
    return (p.FILL.value - fixed) * times / (per_event * work / 1e6)


def _size(setup: Setup, rate: float, work: float) -> str | None:
    for size, times in p.CREDITS_PER_HOUR.items():
        if setup.serverless and times > p.SERVERLESS_MOST.value:
            return None
        share = _tick_seconds(setup, rate, times, work) / setup.schedule_seconds
        if not setup.streams:
            share += rate * p.LOAD_SECONDS.value * work / 1e6 / times
        if share <= p.FILL.value:
            return size
    return None


def _tick_seconds(setup: Setup, rate: float, times: int, work: float) -> float:
    events = rate * setup.schedule_seconds
    parallel = p.TRANSFORM_SECONDS.value * work * events / 1e6
    return p.TICK_SECONDS.value * work + parallel / times


def _loads(setup: Setup, rate: float, times: int, work: float) -> Iterator[Busy]:
    """The batches of a day, each full or as old as a batch gets."""
    if setup.batch_seconds is None:
        return
    apart = min(setup.batch_seconds, p.BATCH_ROWS.value / rate)
    # Several ingestors load side by side: then there is no moment without a batch.
    seconds = (p.BATCH_FIXED_SECONDS.value + p.LOAD_SECONDS.value * rate * apart / 1e6 / times) * work
    if seconds >= apart:
        yield 0.0, DAY_SECONDS
        return
    for number in range(int(DAY_SECONDS / apart)):
        yield number * apart, number * apart + seconds
