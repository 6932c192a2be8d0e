"""The whole pipeline once, from an empty machine to checked figures. The scheduled tasks do the work."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from snowflake.connector import SnowflakeConnection

from caves_cli import connection, deploy, local, overview, processes, report, snow, state
from caves_cli.errors import DemoStalled, DidNotStart, TaskFailed
from caves_cli.processes import Process
from caves_cli.progress import Progress
from caves_cli.report import Report
from caves_cli.state import State, StateFolder
from ingest.producer import produce
from ingest.settings import ProducerSettings
from ingest.truth import Truth

# A minute of the schedule: short enough to watch, long enough that a batch is more than a handful of rows.
MINUTE_SECONDS: Final = 1.0
# Nothing moving for this long means that something hangs; the slowest single step takes a few seconds.
STALL_SECONDS: Final = 60.0
# A task that fails may do better at its next run; when nothing has moved for this long, it has not.
FAILURE_SECONDS: Final = 8.0
_POLL_SECONDS: Final = 0.4


@dataclass(frozen=True)
class DemoSettings:
    """What the demo is asked for."""

    events: int = 20_000
    seed: int = 42
    bad_share: float = 0.01
    duplicate_share: float = 0.02
    minute_seconds: float = MINUTE_SECONDS
    keep: bool = False


def run(settings: DemoSettings, folder: StateFolder, root: Path, progress: Progress) -> Report:
    """Everything, in order. What was started is stopped again, whatever happens, unless it is to be kept."""
    _producer_settings(
        settings, bootstrap="", topic=""
    )  # a share that is none is told before anything starts
    local.stop(folder)
    local.remove_data(folder)
    finished = False
    try:
        outcome = _run(settings, folder, root, progress)
        finished = True
        return outcome
    finally:
        if not (finished and settings.keep):
            local.stop(folder)


def _run(settings: DemoSettings, folder: StateFolder, root: Path, progress: Progress) -> Report:
    with snow.session(config_file=True) as run_snow:
        progress.stage("start", "Starting a Kafka broker and the local warehouse")
        current = local.start(folder, minute_seconds=settings.minute_seconds, port=0)
        progress.stage("deploy", "Deploying with the snow CLI")
        target = connection.target("local", folder.config_file)
        for part in (deploy.bootstrap, deploy.deploy):
            part(target, root, lambda step: progress.detail(f"Deploying {step.title}"), run_snow)
    with _ingestor(folder, current) as ingestor, target.open() as session:
        progress.stage("produce", f"Producing {settings.events:,} events")
        truth = _produce(settings, current, progress)
        progress.stage("ingest", "Loading from Kafka into RAW")
        _Watch(session, truth, progress, ingestor, folder).until_ingested()
        progress.stage("process", "The scheduled tasks move the rows to staging and production")
        _Watch(session, truth, progress, ingestor, folder).until_drained()
        memory = _memory(state.load(folder))
        progress.stage("verify", "Asking the guide's questions and checking the invariants")
        findings = report.read(
            session, lambda invariant: progress.so_far(f"Checking {invariant.number} of 7: {invariant.title}")
        )
    progress.finish()
    return Report(truth, findings, progress.seconds, memory)


def _produce(settings: DemoSettings, current: State, progress: Progress) -> Truth:
    asked = _producer_settings(settings, current.bootstrap or "", current.topic)
    report = produce(
        asked,
        on_progress=lambda sent: progress.so_far(f"Producing: {sent:,} of {settings.events:,} events sent"),
    )
    return report.truth


def _producer_settings(settings: DemoSettings, bootstrap: str, topic: str) -> ProducerSettings:
    return ProducerSettings(
        bootstrap=bootstrap,
        topic=topic,
        events=settings.events,
        seed=settings.seed,
        bad_share=settings.bad_share,
        duplicate_share=settings.duplicate_share,
    )


@contextmanager
def _ingestor(folder: StateFolder, current: State) -> Iterator[Process]:
    """The ingestor as a process of its own, as it runs in production."""
    command = [
        sys.executable,
        "-m",
        "caves_cli.main",
        "ingest",
        "-c",
        "local",
        "--assign",
        "--batch-seconds",
        "0.5",
    ]
    command += ["--config-file", str(folder.config_file.absolute())]
    command += ["--bootstrap", current.bootstrap or "", "--topic", current.topic]
    process = processes.spawn("ingestor", command, folder.log("ingestor"), 0, {})
    state.save(folder, replace(current, processes=(*current.processes, process)))
    try:
        yield process
    finally:
        processes.stop(process)
        state.save(folder, current)


class _Watch:
    """Looks at the warehouse until a goal is reached, and gives up when nothing moves any more."""

    def __init__(
        self,
        session: SnowflakeConnection,
        truth: Truth,
        progress: Progress,
        ingestor: Process,
        folder: StateFolder,
    ) -> None:
        self._session = session
        self._truth = truth
        self._progress = progress
        self._ingestor = ingestor
        self._log = folder.log("ingestor")

    def until_ingested(self) -> None:
        """Every event that was produced is in RAW."""
        for rows, _ in self._look():
            if rows["raw"] >= self._truth.events_produced:
                return

    def until_drained(self) -> None:
        """No stream holds a row, and every raw row has an outcome."""
        for rows, waiting in self._look():
            outcomes = ("stg_orders", "stg_inventory_adjustments", "rejected", "duplicates")
            if not any(waiting.values()) and sum(rows[outcome] for outcome in outcomes) >= rows["raw"]:
                return

    def _look(self) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
        seen: tuple[dict[str, int], dict[str, int]] | None = None
        moved = time.monotonic()
        while True:
            # Streams first: a row that leaves a stream in between is then seen in both, never in neither.
            waiting = overview.rows_waiting(self._session)
            now = (overview.rows_by_layer(self._session), waiting)
            if now != seen:
                seen, moved = now, time.monotonic()
            self._progress.counts(*now)
            yield now
            self._give_up_after(moved, now)
            time.sleep(_POLL_SECONDS)

    def _give_up_after(self, moved: float, now: tuple[dict[str, int], dict[str, int]]) -> None:
        rows, waiting = now
        if not self._ingestor.running:
            raise DidNotStart("ingestor", self._log, _last_line(self._log))
        idle_seconds = time.monotonic() - moved
        if idle_seconds > FAILURE_SECONDS:
            self._give_up_on_failed_tasks()
        if idle_seconds > STALL_SECONDS:
            left = {name: count for name, count in waiting.items() if count}
            missing = self._truth.events_produced - rows["raw"]
            raise DemoStalled(
                STALL_SECONDS,
                f"{missing:,} events not in RAW, waiting in streams {left or 'none'}. "
                f"The logs are in {self._log.parent}",
            )

    def _give_up_on_failed_tasks(self) -> None:
        for run in overview.task_runs(self._session, 20):
            if run.state.startswith("FAILED"):
                raise TaskFailed(run.name, run.error or "no reason given", self._log.parent)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else ""


def _memory(current: State) -> dict[str, int]:
    """The most that each process and its children have held."""
    peaks = {
        process.name: sum(processes.peak_memory_bytes(member) for member in processes.family(process.pid))
        for process in current.processes
    }
    return {**peaks, "caves": processes.peak_memory_bytes(processes.own_pid())}
