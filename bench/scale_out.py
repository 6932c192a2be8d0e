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
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.distance import distance
from bench.events import START
from bench.harness import Comparison, Options, in_turns
from bench.running import CAVES, Running, running
from ingest.producer import produce
from ingest.settings import ProducerSettings

TOPIC = "scale_out"
PARTITIONS = 8
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

    pipeline: Running
    config: Path
    events: int


def measure(stage: Stage, ingestors: int) -> Outcome:
    """One run with so many ingestors on an empty RAW, in a group that none has been in before.

    The embedded broker may let a member wait for ever that joins a group whose members have all just left.
    """
    stage.pipeline.empty()
    logs = [stage.pipeline.folder / f"ingest-{number}.log" for number in range(ingestors)]
    command = [str(CAVES), "ingest", "--topic", TOPIC, "--bootstrap", stage.pipeline.bootstrap]
    command += ["--log-format", "json", "--config-file", str(stage.config)]
    command += ["--group", f"scale-out-{time.time_ns()}"]
    members = []
    for path in logs:
        with path.open("w") as log:
            members.append(subprocess.Popen(command, stderr=log, cwd=stage.pipeline.folder))
    try:
        outcome = _until_loaded(stage, logs, [member.pid for member in members])
    finally:
        for member in members:
            member.terminate()
        for member in members:
            member.wait(60)
    stage.pipeline.check(stage.events)
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
            spent = (sum(_cpu(pid) for pid in members), _cpu(stage.pipeline.warehouse_pid))
        if sum(line["rows"] for line in batches) >= stage.events:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"not all of {stage.events:,} events were loaded in {GIVE_UP_SECONDS} s")
        time.sleep(0.1)
    ended = max(_seconds(line) for line in batches)
    after = [line for line in batches if _seconds(line) > settled]
    seconds = ended - settled
    cores = (sum(_cpu(pid) for pid in members) - spent[0], _cpu(stage.pipeline.warehouse_pid) - spent[1])
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


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    with running() as pipeline:
        produce(ProducerSettings(pipeline.bootstrap, TOPIC, events, start=START, partitions=PARTITIONS))
        for seconds in ANSWER_SECONDS:
            with distance(pipeline.warehouse_port, seconds) as port:
                yield _curve(Stage(pipeline, _config_for(pipeline, port), events), seconds, options)


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


def _config_for(pipeline: Running, port: int) -> Path:
    """The connection file of `caves up`, by way of another port."""
    other = pipeline.config.with_name(f"config-{port}.toml")
    other.write_text(
        pipeline.config.read_text().replace(f"port = {pipeline.warehouse_port}", f"port = {port}")
    )
    other.chmod(0o600)
    return other
