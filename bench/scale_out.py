"""How the events a second that reach RAW grow with the ingestors in one consumer group.

One topic of eight partitions, filled before; one local warehouse, its tasks suspended, so that loading is all
it does. For each number, `caves ingest` processes start together and share the partitions. The clock runs
from the last change of the group until the last event is committed; then every event is looked for in RAW.

The local warehouse answers at once, so its processor is soon the limit. An account is a way off and takes
its time: a second curve keeps each answer back for a quarter of a second, and shows what more are for.

Beside the figures: the ratio to one ingestor in the same run, and what the processors did meanwhile, in
cores, of the ingestors together and of the warehouse.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.distance import distance
from bench.harness import Comparison, Options, in_turns
from caves_snowpark.names import KAFKA_OFFSETS, RAW_EVENTS, ROOT_TASK
from ingest.connections import connect
from ingest.producer import produce
from ingest.settings import ProducerSettings

CAVES = Path(sys.executable).with_name("caves")
TOPIC = "scale_out"
PARTITIONS = 8
START = datetime(2025, 6, 2, 12, tzinfo=UTC)
GIVE_UP_SECONDS = 600
EVENTS = 600_000
INGESTORS = (1, 2, 4)
ANSWER_SECONDS = (0.0, 0.25)


@dataclass(frozen=True)
class Outcome:
    rows_per_second: float
    ingest_cores: float
    warehouse_cores: float
    rebalances: int


@dataclass(frozen=True)
class Stage:
    """A running pipeline whose topic is full, and the connection file by which its warehouse is reached."""

    folder: Path
    config: Path
    bootstrap: str
    warehouse: int
    events: int


def measure(stage: Stage, ingestors: int) -> Outcome:
    """One run with so many ingestors on an empty RAW, in a group that none has been in before.

    The embedded broker may let a member wait for ever that joins a group whose members have all just left.
    """
    _empty(stage.folder)
    logs = [stage.folder / f"ingest-{number}.log" for number in range(ingestors)]
    command = [str(CAVES), "ingest", "--topic", TOPIC, "--bootstrap", stage.bootstrap, "--log-format", "json"]
    command += ["--group", f"scale-out-{time.time_ns()}", "--config-file", str(stage.config)]
    members = []
    for path in logs:
        with path.open("w") as log:
            members.append(subprocess.Popen(command, stderr=log, cwd=stage.folder))
    try:
        outcome = _until_loaded(stage, logs, [member.pid for member in members])
    finally:
        for member in members:
            member.terminate()
        for member in members:
            member.wait(60)
    _check(stage.folder, stage.events)
    return outcome


def _until_loaded(stage: Stage, logs: list[Path], members: list[int]) -> Outcome:
    """Wait for the last event; figures from the last change of the group on."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    settled, spent = 0.0, (0.0, 0.0)
    while True:
        lines = [line for path in logs for line in _log(path)]
        changes = [_seconds(line) for line in lines if line.get("event") == "rebalance"]
        batches = [line for line in lines if line.get("event") == "batch"]
        if changes and max(changes) > settled:
            settled = max(changes)
            spent = (sum(_cpu(pid) for pid in members), _cpu(stage.warehouse))
        if sum(line["rows"] for line in batches) >= stage.events:
            break
        if time.monotonic() > deadline:
            raise SystemExit(
                f"{stage.events:,} events were not loaded within {GIVE_UP_SECONDS} s; logs: {stage.folder}"
            )
        time.sleep(0.1)
    ended = max(_seconds(line) for line in batches)
    after = [line for line in batches if _seconds(line) > settled]
    seconds = ended - settled
    cores = (sum(_cpu(pid) for pid in members) - spent[0], _cpu(stage.warehouse) - spent[1])
    return Outcome(
        sum(line["rows"] for line in after) / seconds, cores[0] / seconds, cores[1] / seconds, len(changes)
    )


def _log(path: Path) -> list[dict[str, Any]]:
    # The last line may be half written.
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def _seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def _cpu(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ask(folder: Path, *statements: str) -> list[tuple[Any, ...]]:
    connection = connect("local", folder / ".caves/config.toml")
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
    finally:
        connection.close()


def _caves(folder: Path, *arguments: str) -> None:
    done = subprocess.run([str(CAVES), *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)


def _empty(folder: Path) -> None:
    _ask(folder, f"DELETE FROM {RAW_EVENTS}", f"DELETE FROM {KAFKA_OFFSETS}")


def _check(folder: Path, events: int) -> None:
    place = "CONCAT(EVENT_METADATA:partition::VARCHAR, '/', EVENT_METADATA:offset::VARCHAR)"
    found = _ask(folder, f"SELECT COUNT(*), COUNT(DISTINCT {place}) FROM {RAW_EVENTS}")
    if found != [(events, events)]:
        raise SystemExit(f"RAW has {found[0]} rows and coordinates instead of {events:,}: no figure counts")


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _caves(folder, "up", "--minute", "60")
        try:
            state = json.loads((folder / ".caves/state.json").read_text())
            process = {entry["name"]: entry for entry in state["processes"]}
            _ask(folder, f"ALTER TASK {ROOT_TASK} SUSPEND")
            bootstrap = f"127.0.0.1:{process['broker']['port']}"
            produce(ProducerSettings(bootstrap, TOPIC, events, start=START, partitions=PARTITIONS))
            for seconds in ANSWER_SECONDS:
                with distance(process["warehouse"]["port"], seconds) as port:
                    config = _config_for(folder, process["warehouse"]["port"], port)
                    stage = Stage(folder, config, bootstrap, process["warehouse"]["pid"], events)
                    yield _curve(stage, seconds, options)
        finally:
            _caves(folder, "down")


def _curve(stage: Stage, seconds: float, options: Options) -> Comparison:
    cores: dict[str, list[tuple[float, float]]] = {}

    def work(name: str, ingestors: int) -> float:
        outcome = measure(stage, ingestors)
        cores.setdefault(name, []).append((outcome.ingest_cores, outcome.warehouse_cores))
        return outcome.rows_per_second

    works = {_name(number): partial(work, _name(number), number) for number in INGESTORS}
    figures = in_turns(works, options)
    alone = figures[_name(1)]
    facts = {
        name: {
            "times_one": round(
                statistics.median(many / one for many, one in zip(figures[name], alone, strict=True)), 2
            ),
            "ingest_cores": round(statistics.median(ingest for ingest, _ in cores[name]), 2),
            "warehouse_cores": round(statistics.median(warehouse for _, warehouse in cores[name]), 2),
        }
        for name in figures
    }
    answers = f"each answer {seconds:g} s late" if seconds else "a warehouse that answers at once"
    return Comparison(f"{stage.events:,} events into RAW, {answers}", "rows/s", figures, facts=facts)


def _name(ingestors: int) -> str:
    return f"{ingestors} ingestor{'s' if ingestors > 1 else ''}"


def _config_for(folder: Path, warehouse: int, port: int) -> Path:
    """The connection file of `caves up`, by way of another port."""
    made = folder / ".caves/config.toml"
    other = made.with_name(f"config-{port}.toml")
    other.write_text(made.read_text().replace(f"port = {warehouse}", f"port = {port}"))
    other.chmod(0o600)
    return other
