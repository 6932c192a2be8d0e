"""The local set-up: the embedded broker and the local warehouse as background processes."""

import os
import re
import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from caves_cli import processes, project, state
from caves_cli.errors import AlreadyUp, DidNotStart
from caves_cli.processes import Process
from caves_cli.state import State, StateFolder
from caves_snowpark import names
from ingest.broker import start_broker
from ingest.errors import PortInUse

START_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_READY = re.compile(r"serving .* on 127\.0\.0\.1:(\d+)")

# What the snow CLI is to know besides the connection; see snowflake.yml for the flag.
_CLI_SETTINGS: Final = """
[cli]
ignore_new_version_warning = true

[cli.features]
enable_snowpark_glob_support = true
"""


def start(folder: StateFolder, *, minute_seconds: float, port: int) -> State:
    """Start both processes, and write down what was started as soon as it is."""
    left = state.load(folder)
    warehouse = left.process("warehouse")
    if warehouse is not None and warehouse.running:
        raise AlreadyUp(folder.path, warehouse.port)
    for orphan in left.running:
        processes.stop(orphan)
    _refuse_taken(port)
    current = state.next_generation(left, has_data=folder.database.exists())
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    current = _remember(folder, current, _start_broker(folder))
    try:
        return _remember(folder, current, start_warehouse(folder, minute_seconds, port))
    except BaseException:
        stop(folder)
        raise


def stop(folder: StateFolder) -> list[Process]:
    """Stop what `start` started; the processes that were still there."""
    left = state.load(folder)
    # The warehouse first: nothing reads from the broker on its behalf, and it has files to close.
    stopped = [process for process in reversed(left.processes) if processes.stop(process)]
    if left.processes:
        state.save(folder, replace(left, processes=()))
    return stopped


def remove_data(folder: StateFolder) -> None:
    """Forget everything: the warehouse's files, the logs and the connection."""
    shutil.rmtree(folder.path, ignore_errors=True)


def crashed(left: State) -> bool:
    """Whether the folder speaks of processes that are gone without `caves down`."""
    return any(not process.running for process in left.processes)


def _remember(folder: StateFolder, current: State, process: Process) -> State:
    current = replace(current, processes=(*current.processes, process))
    state.save(folder, current)
    return current


def _start_broker(folder: StateFolder) -> Process:
    log = folder.log("broker")
    log.parent.mkdir(parents=True, exist_ok=True)
    broker = start_broker(0, log_file=log, detached=True)
    return Process("broker", broker.pid, processes.start_time(broker.pid) or "", broker.port)


def start_warehouse(folder: StateFolder, minute_seconds: float, port: int) -> Process:
    """Start the warehouse alone, on the data that is in the folder, and wait until it listens."""
    log = folder.log("warehouse")
    begin = log.stat().st_size if log.exists() else 0
    command = [str(project.executable("snowcellar")), "serve"]
    command += ["--db", str(folder.database), "--config", str(folder.config_file)]
    command += ["--port", str(port), "--minute", f"{minute_seconds:g}"]
    command += ["--database", names.DEFAULT_DATABASE, "--warehouse", names.DEFAULT_WAREHOUSE]
    started = processes.spawn("warehouse", command, log, port, {})
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = log.read_bytes()[begin:].decode(errors="replace")
        if ready := _READY.search(said):
            break
        if not started.running or time.monotonic() > deadline:
            processes.stop(started)
            raise DidNotStart("local warehouse", log, (said.strip().splitlines() or [""])[-1])
        time.sleep(_POLL_SECONDS)
    started = replace(started, port=int(ready[1]))
    _await_listener(started, log, deadline)
    _add_cli_settings(folder.config_file)
    return started


def _await_listener(process: Process, log: Path, deadline: float) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", process.port), timeout=1).close()
            return
        except OSError as error:
            if not process.running or time.monotonic() > deadline:
                processes.stop(process)
                raise DidNotStart("local warehouse", log, "it does not listen") from error
            time.sleep(_POLL_SECONDS)


def _add_cli_settings(config_file: Path) -> None:
    # The warehouse wrote the connection, with a password: the file stays readable by its owner only.
    text = 'default_connection_name = "local"\n\n' + config_file.read_text(encoding="utf-8") + _CLI_SETTINGS
    draft = config_file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(config_file)


def _refuse_taken(port: int) -> None:
    if port == 0:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUse(port) from error
