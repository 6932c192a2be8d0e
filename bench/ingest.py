"""Messages of about 380 bytes on 4 partitions, into RAW with their offsets, beside four ways without them.

A figure is rows a second from the start of a process until everything is committed (ours: until the process
has ended): each contestant starts cold, as `caves ingest --until-caught-up` does. The bare way shows what
Kafka and DuckDB allow on this machine. Those that take long get fewer messages, so that they end; the row at
a time writes to the same warehouse.
"""

import json
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench import peers
from bench.events import START
from bench.harness import OURS, Comparison, Options, Target, in_turns
from bench.running import CAVES, Running, running
from ingest.producer import produce
from ingest.settings import ProducerSettings

EVENTS: Final = 1_000_000
ROWS_ONE_BY_ONE: Final = 2_000
QUIXSTREAMS_EVENTS: Final = 200_000
PARTITIONS: Final = 4
TOPIC: Final = "bench_ingest"
BARE, ROWS = "bare: Arrow to DuckDB", "kafka-python, pandas, rows"
DLT, QUIXSTREAMS = "dlt", "quixstreams"


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    fewer = min(events, QUIXSTREAMS_EVENTS)
    options.say("making the peers' environment")
    python = peers.python_of("ingest")
    with running() as pipeline:
        produce(ProducerSettings(pipeline.bootstrap, TOPIC, events, start=START, partitions=PARTITIONS))
        place = (pipeline.bootstrap, TOPIC)
        works: dict[str, Callable[[], float]] = {
            OURS: lambda: _ours(pipeline, events),
            BARE: lambda: _peer(python, "ingest_bare.py", events, *place, PARTITIONS, events),
            ROWS: lambda: _rows(python, pipeline, min(events, ROWS_ONE_BY_ONE)),
            DLT: lambda: _peer(python, "ingest_dlt.py", events, *place, PARTITIONS, events, folder=True),
            QUIXSTREAMS: lambda: _peer(python, "ingest_quixstreams.py", fewer, *place, fewer),
        }
        yield Comparison(
            f"{events:,} messages from Kafka into a table",
            "rows/s",
            in_turns(works, options),
            (
                Target(BARE, 0.5, at_least=True),
                Target(ROWS, 20.0, at_least=True),
                Target(DLT, 1.0, at_least=True),
                Target(QUIXSTREAMS, 1.0, at_least=True),
            ),
        )


def _ours(pipeline: Running, events: int) -> float:
    pipeline.empty()
    command = [str(CAVES), "ingest", "--assign", "--until-caught-up", "--topic", TOPIC]
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, "--bootstrap", pipeline.bootstrap], cwd=pipeline.folder, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stderr)
    pipeline.check(events)
    return events / seconds


def _peer(python: Path, script: str, events: int, *arguments: object, folder: bool = False) -> float:
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary, "peer.duckdb")
        begun = time.time()
        answer = peers.run(python, script, *arguments, database, *((Path(temporary),) if folder else ()))
    return _rate(script, answer, events, begun)


def _rows(python: Path, pipeline: Running, events: int) -> float:
    table = "RAW_DATA.BENCH_ROWS"
    pipeline.ask(f"CREATE OR REPLACE TABLE {table} (PARTITION_ID INT, OFFSET_ID INT, CONTENT STRING)")
    with pipeline.config.open("rb") as file:
        connection = json.dumps(tomllib.load(file)["connections"]["local"])
    begun = time.time()
    answer = peers.run(python, "ingest_rows.py", pipeline.bootstrap, TOPIC, events, connection, table)
    return _rate("ingest_rows.py", answer, events, begun)


def _rate(script: str, answer: dict[str, Any], events: int, begun: float) -> float:
    """A peer's rows a second until it had committed them: what it counts afterwards is not timed."""
    if (answer["rows"], answer["places"]) != (events, events):
        raise SystemExit(f"{script} loaded {answer} instead of {events:,} messages: no figure counts")
    return float(events / (answer["done_at"] - begun))
