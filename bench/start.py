"""From an empty folder to a running pipeline: `caves up`, the first CALL, and `caves demo` to its end."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.harness import OURS, Bound, Comparison, Options
from bench.running import CAVES
from caves_snowpark.names import MERGE_ORDERS, ROOT_TASK
from ingest.connections import connect

UP_SECONDS: Final = 5.0
DEMO_EVENTS: Final = 20_000


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(DEMO_EVENTS)
    up: list[float] = []
    first_call: list[float] = []
    demo: list[float] = []
    for number in range(options.runs):
        options.say(f"run {number + 1} of {options.runs}")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            up.append(_timed(folder, "up", "--minute", "60"))
            try:
                first_call.append(_first_call(folder))
            finally:
                _timed(folder, "down")
        with tempfile.TemporaryDirectory() as temporary:
            demo.append(_timed(Path(temporary), "demo", "--events", str(events)))
    yield Comparison("`caves up` in an empty folder", "s", {OURS: up}, (Bound(UP_SECONDS),))
    yield Comparison("the first CALL of a procedure", "s", {OURS: first_call})
    yield Comparison(f"`caves demo` with {events:,} events, verified", "s", {OURS: demo})


def _timed(folder: Path, *arguments: str) -> float:
    begun = time.perf_counter()
    done = subprocess.run([str(CAVES), *arguments], cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    # A demo whose invariants do not hold fails.
    if done.returncode:
        raise SystemExit(f"caves {' '.join(arguments)}: {done.stderr[-2000:]}")
    return seconds


def _first_call(folder: Path) -> float:
    connection = connect("local", folder / ".caves" / "config.toml")
    try:
        cursor = connection.cursor()
        cursor.execute(f"ALTER TASK {ROOT_TASK} SUSPEND")
        begun = time.perf_counter()
        cursor.execute(f"CALL {MERGE_ORDERS}()")
        seconds = time.perf_counter() - begun
        counts = json.loads(str(cursor.fetchall()[0][0]))
        if counts.get("read") != 0:
            raise SystemExit(f"{MERGE_ORDERS} returned {counts} where nothing waits: no figure counts")
        return seconds
    finally:
        connection.close()
