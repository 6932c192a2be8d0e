"""All checks in order. None may keep the others from being told: each group has a limit of time."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Final

from caves_cli import connection, local_kafka, project
from caves_cli.doctor import kafka, machine, programs, python, set_up, warehouse
from caves_cli.doctor.finding import Finding, problem, skipped
from caves_cli.errors import CavesError, NotInProject
from ingest.errors import IngestError

# The connector gives a login 8 s and each later request 20 s; a healthy warehouse answers all in 2.
GROUP_SECONDS: Final = 45.0


@dataclass(frozen=True)
class Asked:
    """What the doctor is to look at."""

    connection: str
    config_file: Path | None = None
    database: str | None = None
    warehouse: str | None = None
    topic: str | None = None
    bootstrap: str | None = None


def findings(asked: Asked) -> Iterator[Finding]:
    """Each finding as soon as it is there."""
    root = _root()
    yield from within(GROUP_SECONDS, "Python", lambda: python.checks(root))
    yield from within(GROUP_SECONDS, "Programs", programs.checks)
    yield from within(GROUP_SECONDS, "Machine", lambda: machine.checks(project.STATE_FOLDER))
    yield from within(GROUP_SECONDS, "Set-up", lambda: set_up.checks(asked.connection, asked.config_file))
    try:
        target = connection.target(asked.connection, asked.config_file, asked.database, asked.warehouse)
    except IngestError:
        # Told as the connection file's finding.
        yield skipped("Login", "there is no connection to try")
        loaded = None
    else:
        examined = warehouse.Examined(target, root)
        yield from within(GROUP_SECONDS, "Login", examined.checks)
        loaded = examined.loaded
    try:
        place = (
            local_kafka.known_bootstrap(asked.bootstrap, asked.connection, asked.config_file),
            local_kafka.topic(asked.topic, asked.config_file),
        )
    except CavesError:
        yield skipped("Broker", "the state file that names it cannot be read")
        return
    yield from within(GROUP_SECONDS, "Broker", lambda: kafka.checks(*place, asked.connection, loaded))


def within(seconds: float, name: str, checks: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings of one group; a fault or a long silence is a finding, too."""
    found: Queue[Finding | None] = Queue()

    def run() -> None:
        try:
            for finding in checks():
                found.put(finding)
        except Exception as error:
            told = " ".join(str(error).split())
            found.put(problem(name, f"cannot be looked at: {type(error).__name__}: {told}", _AGAIN))
        found.put(None)

    threading.Thread(target=run, name=f"doctor {name}", daemon=True).start()
    while True:
        try:
            finding = found.get(timeout=seconds)
        except Empty:
            yield problem(name, f"no answer within {seconds:g} s", _AGAIN)
            return
        if finding is None:
            return
        yield finding


_AGAIN: Final = "caves doctor --debug"


def _root() -> Path | None:
    try:
        return project.root()
    except NotInProject:
        return None
