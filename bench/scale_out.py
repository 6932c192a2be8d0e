"""How the events a second that reach RAW grow with the ingestors in one consumer group.

    python bench/scale_out.py [--events N] [--ingestors 1,2,4] [--runs N] [--answer-seconds 0,0.25]

One topic of eight partitions, filled before; one local warehouse, its tasks suspended, so that loading is all
it does. For each number, `caves ingest` processes start together and share the partitions. The clock runs
from the last change of the group until the last event is committed; then every event is looked for in RAW.

The local warehouse answers at once, so its processor is soon the limit. An account is a way off and takes
its time: --answer-seconds keeps each answer back so long, and shows what more ingestors are for.

Figures are the median of the runs, their spread, and the ratio to one ingestor in the same run; beside them,
what the processors did meanwhile, in cores: of the ingestors together, and of the warehouse.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _distance import distance

from caves_snowpark.names import KAFKA_OFFSETS, RAW_EVENTS, ROOT_TASK
from ingest.connections import connect
from ingest.producer import produce
from ingest.settings import ProducerSettings

CAVES = Path(sys.executable).with_name("caves")
TOPIC = "scale_out"
PARTITIONS = 8
START = datetime(2025, 6, 2, 12, tzinfo=UTC)
GIVE_UP_SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    rows_per_second: float
    ingest_cores: float
    warehouse_cores: float
    rebalances: int


def measure(
    folder: Path, config: Path, bootstrap: str, warehouse_pid: int, ingestors: int, events: int
) -> Outcome:
    """One run with so many ingestors on an empty RAW, in a group that none has been in before.

    The embedded broker may let a member wait for ever that joins a group whose members have all just left.
    """
    _empty(folder)
    logs = [folder / f"ingest-{number}.log" for number in range(ingestors)]
    command = [str(CAVES), "ingest", "--topic", TOPIC, "--bootstrap", bootstrap, "--log-format", "json"]
    command += ["--group", f"scale-out-{time.time_ns()}", "--config-file", str(config)]
    members = []
    for path in logs:
        with path.open("w") as log:
            members.append(subprocess.Popen(command, stderr=log, cwd=folder))
    try:
        outcome = _until_loaded(folder, logs, [member.pid for member in members], warehouse_pid, events)
    finally:
        for member in members:
            member.terminate()
        for member in members:
            member.wait(60)
    _check(folder, events)
    return outcome


def _until_loaded(folder: Path, logs: list[Path], members: list[int], warehouse: int, events: int) -> Outcome:
    """Wait for the last event; figures from the last change of the group on."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    settled, spent = 0.0, (0.0, 0.0)
    while True:
        lines = [line for path in logs for line in _log(path)]
        changes = [_seconds(line) for line in lines if line.get("event") == "rebalance"]
        batches = [line for line in lines if line.get("event") == "batch"]
        if changes and max(changes) > settled:
            settled = max(changes)
            spent = (sum(_cpu(pid) for pid in members), _cpu(warehouse))
        if sum(line["rows"] for line in batches) >= events:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"{events:,} events were not loaded within {GIVE_UP_SECONDS} s; logs: {folder}")
        time.sleep(0.1)
    ended = max(_seconds(line) for line in batches)
    after = [line for line in batches if _seconds(line) > settled]
    seconds = ended - settled
    cores = (sum(_cpu(pid) for pid in members) - spent[0], _cpu(warehouse) - spent[1])
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
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = connection.cursor().execute(statement).fetchall()
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--ingestors", default="1,2,4")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--answer-seconds", default="0,0.25")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run(
            [str(CAVES), "up", "--minute", "60"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        try:
            state = json.loads((folder / ".caves/state.json").read_text())
            process = {entry["name"]: entry for entry in state["processes"]}
            bootstrap = f"127.0.0.1:{process['broker']['port']}"
            _ask(folder, f"ALTER TASK {ROOT_TASK} SUSPEND")
            produce(ProducerSettings(bootstrap, TOPIC, arguments.events, start=START, partitions=PARTITIONS))
            found: dict[tuple[float, int], list[Outcome]] = {}
            warehouse = process["warehouse"]
            for _ in range(arguments.runs):
                for seconds in _numbers(arguments.answer_seconds):
                    with distance(warehouse["port"], seconds) as port:
                        config = _config_for(folder, warehouse["port"], port)
                        for ingestors in map(int, _numbers(arguments.ingestors)):
                            outcome = measure(
                                folder, config, bootstrap, warehouse["pid"], ingestors, arguments.events
                            )
                            found.setdefault((seconds, ingestors), []).append(outcome)
        finally:
            _caves(folder, "down")
    sys.stdout.write(json.dumps(_figures(found, arguments.events), indent=2) + "\n")


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _config_for(folder: Path, warehouse: int, port: int) -> Path:
    """The connection file of `caves up`, by way of another port."""
    made = folder / ".caves/config.toml"
    other = made.with_name(f"config-{port}.toml")
    other.write_text(made.read_text().replace(f"port = {warehouse}", f"port = {port}"))
    other.chmod(0o600)
    return other


def _figures(found: dict[tuple[float, int], list[Outcome]], events: int) -> dict[str, Any]:
    curves: dict[str, Any] = {}
    for (seconds, ingestors), outcomes in found.items():
        alone = next(several for (other, _), several in found.items() if other == seconds)
        speeds = [outcome.rows_per_second for outcome in outcomes]
        ratios = [
            many.rows_per_second / one.rows_per_second for many, one in zip(outcomes, alone, strict=True)
        ]
        curves.setdefault(f"answers_after_{seconds}_s", {})[f"ingestors_{ingestors}"] = {
            "rows_per_second": round(statistics.median(speeds)),
            "lowest_and_highest": [round(min(speeds)), round(max(speeds))],
            "times_the_first": round(statistics.median(ratios), 2),
            "ingest_cores": round(statistics.median(outcome.ingest_cores for outcome in outcomes), 2),
            "warehouse_cores": round(statistics.median(outcome.warehouse_cores for outcome in outcomes), 2),
        }
    return {"events": events, "partitions": PARTITIONS, "cores": os.cpu_count(), **curves}


if __name__ == "__main__":
    main()
