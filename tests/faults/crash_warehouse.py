"""A warehouse process of its own, deployed by the real snow CLI, whose procedures die where a test says."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from caves_cli import deploy
from caves_cli.connection import Target
from caves_snowpark import names
from ingest.connections import ConnectionParameters, load_connection, open_connection
from tests.faults import crash_hook

ROOT: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 60.0
STILL_MINUTE_SECONDS: Final = 36_000.0
"""Tasks run only when a test says so."""
_DEPLOYED: Final = ("deploy", "procedures", "src/caves_snowpark")
_FILES: Final = ("snowflake.yml", "requirements.txt", "requirements.snowflake.txt")

Run = Callable[..., list[tuple[Any, ...]]]


@dataclass
class CrashWarehouse:
    """A served warehouse; `kill` and `start` again keep its files and its port."""

    folder: Path
    minute_seconds: float = STILL_MINUTE_SECONDS
    port: int = 0
    process: "subprocess.Popen[str] | None" = None
    program: tuple[str, ...] = ()
    """What to start in the place of snowcellar."""

    @property
    def config_file(self) -> Path:
        return self.folder / "config.toml"

    @property
    def scratch(self) -> Path:
        """The folder in which the workers run."""
        return self.folder / "cellar.duckdb.d" / "procedures" / "scratch"

    @property
    def target(self) -> Target:
        return Target("local", self.config_file, names.DEFAULT_DATABASE, names.DEFAULT_WAREHOUSE)

    def start(self) -> None:
        command = [*(self.program or [str(Path(sys.prefix) / "bin/snowcellar")]), "serve"]
        command += ["--db", str(self.folder / "cellar.duckdb"), "--config", str(self.config_file)]
        command += ["--port", str(self.port), "--minute", str(self.minute_seconds)]
        command += ["--database", names.DEFAULT_DATABASE, "--warehouse", names.DEFAULT_WAREHOUSE]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        timer = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        timer.start()
        ready = self.process.stdout.readline()
        timer.cancel()
        assert "serving" in ready, f"snowcellar did not start: {ready!r}"
        self.port = int(ready.split("127.0.0.1:")[1].split(";")[0])

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the server alone; its workers follow by themselves."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.kill(signal.SIGTERM)

    @contextmanager
    def session(self) -> Iterator[Run]:
        """A function that runs a statement and gives its rows."""
        patient = {"network_timeout": 10 * PATIENCE_SECONDS, "socket_timeout": 10 * PATIENCE_SECONDS}
        connection: Any = open_connection(
            ConnectionParameters(load_connection("local", self.config_file) | patient)
        )
        try:
            yield lambda statement, *params: connection.cursor().execute(statement, *params).fetchall()
        finally:
            connection.close()

    # A disk that is full: no file of the server's may grow past a size

    def fill_disk(self, room: int) -> None:
        """From now on the database's log can grow by so many bytes and no more."""
        log = self.folder / "cellar.duckdb.d" / f"{names.DEFAULT_DATABASE}.db.wal"
        self.limit_files((log.stat().st_size if log.exists() else 0) + room)

    def limit_files(self, size: int) -> None:
        """From now on no file can be written past a size: the system's own error, with no disk to fill."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def free_disk(self) -> None:
        self.limit_files(resource.RLIM_INFINITY)

    # What the hook before a procedure's handler is told, and what it says

    def crash(self, procedure: str, gap: int, how: str) -> None:
        """Let the next call of a procedure die in a gap between its statements."""
        draft = self.scratch / f"{procedure}.draft"
        draft.write_text(json.dumps({"gap": gap, "how": how}))
        draft.replace(self.scratch / f"{procedure}.json")

    def release(self, procedure: str) -> None:
        """Let the call of a procedure that is held go on."""
        for file in self.scratch.glob(f"{procedure}.*.held"):
            file.unlink()

    def forget_crashes(self) -> None:
        """Let every procedure run undisturbed; one that is held goes on."""
        for pattern in ("*.json", "*.held"):
            for file in self.scratch.glob(pattern):
                file.unlink()

    def said(self, procedure: str) -> list[tuple[str, str]]:
        """What the hook has said of the procedure's calls since `clear_said`: (what, text)."""
        file = self.scratch / f"{procedure}.log"
        if not file.exists():
            return []
        # The hook may be in the middle of its last line.
        lines = file.read_text().splitlines(keepends=True)
        return [tuple(json.loads(line)) for line in lines if line.endswith("\n")]

    def clear_said(self) -> None:
        for file in self.scratch.glob("*.log"):
            file.unlink()

    def await_said(self, procedure: str, what: str) -> str:
        """Wait until the hook says something; its text."""

        def texts() -> list[str]:
            return [text for said, text in self.said(procedure) if said == what]

        return str(eventually(texts, f"{procedure}: {what}")[0])


def eventually(probe: Callable[[], Any], what: str = "") -> Any:
    """The first true answer of a probe; fails when there is none for a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s: {what or probe}"
        time.sleep(0.02)
    return answer


@contextmanager
def deployed(folder: Path, **options: Any) -> Iterator[CrashWarehouse]:
    """A running warehouse with the pipeline in it, every task suspended, in an empty folder."""
    with running(_template(), folder, **options) as warehouse:
        yield warehouse


@contextmanager
def running(files: Path, folder: Path, **options: Any) -> Iterator[CrashWarehouse]:
    """A warehouse that runs on a copy of files."""
    shutil.copytree(files, folder, dirs_exist_ok=True)
    warehouse = CrashWarehouse(folder, **options)
    warehouse.start()
    try:
        yield warehouse
    finally:
        if warehouse.process is not None:
            warehouse.kill()


@cache
def _template() -> Path:
    """The files of a warehouse into which the pipeline was deployed, made once a test process."""
    folder = kept_folder()
    warehouse = CrashWarehouse(folder)
    warehouse.start()
    try:
        hooked = project_with_hooks(kept_folder() / "project")
        deploy.bootstrap(warehouse.target, hooked, lambda _: None)
        deploy.deploy(warehouse.target, hooked, lambda _: None)
        with warehouse.session() as run:
            run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
            for task in names.CHILD_TASKS:
                run(f"ALTER TASK {task} SUSPEND")
    finally:
        warehouse.stop()
    return folder


_KEPT: "list[tempfile.TemporaryDirectory[str]]" = []


def kept_folder() -> Path:
    """An empty folder that is there until the test process ends."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="crash-"))
    return Path(_KEPT[-1].name)


def project_with_hooks(folder: Path) -> Path:
    """A copy of what is deployed, with the hook before every handler."""
    folder.mkdir()
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    for name in _DEPLOYED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for handler in (folder / "procedures").glob("*.py"):
        hook = f"\nfrom crash_hook import guarded\n\nmain = guarded({handler.stem.upper()!r}, main)\n"
        handler.write_text(handler.read_text() + hook)
    shutil.copy(Path(crash_hook.__file__), folder / "procedures")
    return folder


def short(name: str) -> str:
    """A name without its schema."""
    return name.partition(".")[2]
