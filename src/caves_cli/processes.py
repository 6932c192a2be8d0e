"""Background processes, known by pid and start time: a pid alone may be a stranger's later on."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A warehouse that was asked to stop closes its files; past this it is ended, and loses nothing that was
# committed.
STOP_SECONDS: Final = 15.0
# The system ends a killed process when it next runs; a busy machine takes its time.
_KILL_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Process:
    """One process that we started."""

    name: str
    pid: int
    started: str
    port: int

    @property
    def running(self) -> bool:
        return start_time(self.pid) == self.started


def start_time(pid: int) -> str | None:
    """When the process started, as the system writes it; None when there is no such (living) process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_time_from_ps(pid)
    except ProcessLookupError:
        return None
    # proc(5): the state is field 3 and the start time field 22, counted from the pid; the name was cut off
    # above.
    return None if fields[0] == "Z" else fields[19]


def _start_time_from_ps(pid: int) -> str | None:
    # macOS and the BSDs have no /proc.
    answer = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


def spawn(name: str, command: Sequence[str], log: Path, port: int, environment: Mapping[str, str]) -> Process:
    """Start a process that outlives this one, in a session of its own, writing to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    return Process(name, child.pid, start_time(child.pid) or "", port)


def stop(process: Process, seconds: float = STOP_SECONDS) -> bool:
    """Ask the process to end, then end it. False when it was gone; a stranger's pid is never touched."""
    if not process.running:
        return False
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, _KILL_SECONDS)):
        _signal(process, number)
        if _gone_within(process, patience):
            break
    return True


def _gone_within(process: Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.running and time.monotonic() < deadline:
        _reap(process.pid)
        time.sleep(_POLL_SECONDS)
    return not process.running


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    # Where the process is our own child, its end must be collected or it stays as a zombie.
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def peak_memory_bytes(pid: int) -> int:
    """The most memory a process has held so far; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def family(pid: int) -> list[int]:
    """The process and all its descendants, where the system tells."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def own_pid() -> int:
    return os.getpid()
