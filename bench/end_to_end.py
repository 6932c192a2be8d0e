"""Events at a steady rate through the whole pipeline, as it runs: how late are orders in PRODUCTION?

An order's clock starts when Kafka gets it and stops when the run of the task that wrote it is complete: from
then on a reader sees it. All must be there in the end, and what the events must give.
"""

import subprocess
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from bench.cellar import outcome_of
from bench.harness import OURS, Bound, Comparison, Options
from bench.outcome import expected, require
from bench.running import CAVES, Running, running
from caves_snowpark.names import ORDERS, RAW_EVENTS, TASK_ORDERS, TASK_PROCEDURES
from ingest.producer import produce
from ingest.settings import ProducerSettings
from ingest.topics import create_topic
from ingest.truth import Truth

TOPIC: Final = "bench_end_to_end"
RATE: Final = 2_000
EVENTS: Final = RATE * 120
MINUTE_SECONDS: Final = 2.0
P99_SECONDS: Final = 6.0
_GIVE_UP_SECONDS: Final = 120.0


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    halves: list[float] = []
    nearly_all: list[float] = []
    last: list[float] = []
    for number in range(options.runs):
        options.say(f"run {number + 1} of {options.runs}, {events / RATE:.0f} s")
        with running(MINUTE_SECONDS) as pipeline, options.memory.of(OURS):
            late = sorted(_latencies(pipeline, events))
        halves.append(late[len(late) // 2])
        nearly_all.append(late[int(len(late) * 0.99)])
        last.append(late[-1])
    work = f"{events:,} events at {RATE:,}/s, an order in Kafka to visible in PRODUCTION"
    yield Comparison(f"{work}, p50", "s", {OURS: halves})
    yield Comparison(f"{work}, p99", "s", {OURS: nearly_all}, (Bound(P99_SECONDS),))
    yield Comparison(f"{work}, the latest", "s", {OURS: last})


def _latencies(pipeline: Running, events: int) -> list[float]:
    settings = ProducerSettings(pipeline.bootstrap, TOPIC, events, rate=RATE, start=datetime.now(UTC))
    create_topic(settings.bootstrap, settings.topic, settings.partitions)
    # Steady means that the shop does not open just now: each procedure has run before.
    for procedure in TASK_PROCEDURES.values():
        pipeline.ask(f"CALL {procedure}()")
    log = pipeline.folder / "ingest.log"
    command = [str(CAVES), "ingest", "--topic", TOPIC, "--bootstrap", pipeline.bootstrap]
    with log.open("wb") as lines:
        ingest = subprocess.Popen([*command, "--log-format", "json"], cwd=pipeline.folder, stderr=lines)
    try:
        _until("the ingestor has its partitions", lambda: '"rebalance"' in log.read_text())
        truth = produce(settings).truth
        _until("every event is in PRODUCTION", lambda: _is_through(pipeline, truth))
    finally:
        ingest.terminate()
        ingest.wait(60)
    require(OURS, outcome_of(pipeline.ask), truth)
    return _lateness(pipeline)


def _until(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {_GIVE_UP_SECONDS:g} s in vain until {what}: no figure counts")
        time.sleep(0.5)


def _is_through(pipeline: Running, truth: Truth) -> bool:
    return outcome_of(pipeline.ask) == expected(truth)


def _lateness(pipeline: Running) -> list[float]:
    name = TASK_ORDERS.rpartition(".")[2]
    runs = pipeline.ask(
        "SELECT QUERY_START_TIME, COMPLETED_TIME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        f"RESULT_LIMIT => 10000, TASK_NAME => '{name}')) WHERE STATE = 'SUCCEEDED' ORDER BY 1"
    )
    starts = [start.timestamp() for start, _ in runs]
    written = pipeline.ask(
        "SELECT O.UPDATED_AT, R.EVENT_METADATA:timestamp_ms::NUMBER(38, 0)"
        f" FROM {ORDERS} AS O JOIN {RAW_EVENTS} AS R"
        " ON R.EVENT_METADATA:partition::NUMBER(38, 0) = O.SOURCE_PARTITION"
        " AND R.EVENT_METADATA:offset::NUMBER(38, 0) = O.SOURCE_OFFSET"
    )
    return [_visible(runs, starts, at) - sent_ms / 1000 for at, sent_ms in written]


def _visible(runs: list[tuple[Any, ...]], starts: list[float], written_at: datetime) -> float:
    place = bisect_right(starts, written_at.replace(tzinfo=UTC).timestamp()) - 1
    completed: datetime = runs[place][1]
    return completed.timestamp()
