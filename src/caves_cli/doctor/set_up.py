"""What `caves up` and `caves demo --keep` left behind, and the file that the connection stands in."""

import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from caves_cli import processes, project, state
from caves_cli.doctor.finding import Finding, ok, problem, skipped, warning
from caves_cli.errors import StateUnreadable
from caves_cli.state import State, StateFolder
from ingest.connection_files import connections_by_file, find_connection
from ingest.errors import ConnectionFileUnreadable, ConnectionNotFound

_CONNECT_SECONDS: Final = 2.0
_SECRETS: Final = (
    *("password", "token", "passcode", "private_key_raw", "private_key_passphrase", "private_key_file_pwd"),
    "oauth_client_secret",
)
_OURS: Final = ("snowcellar", "caves_cli.main")


def checks(connection: str, config_file: Path | None) -> Iterator[Finding]:
    folders = [StateFolder(project.STATE_FOLDER), StateFolder(project.STATE_FOLDER / "demo")]
    known: set[int] = set()
    for folder in folders:
        if folder.state_file.exists():
            yield processes_of(folder)
            known |= _pids(folder)
    yield leftovers(project.STATE_FOLDER.absolute(), known)
    yield connection_file(connection, config_file)


def processes_of(folder: StateFolder) -> Finding:
    """The processes that the state file speaks of."""
    check = f"Processes of {folder.path}"
    try:
        left = state.load(folder)
    except StateUnreadable as error:
        return problem(check, str(error).splitlines()[0], f"rm {folder.state_file}")
    if not left.processes:
        return ok(check, "none is running, and none should be")
    gone = [each for each in left.processes if not each.running]
    if gone:
        names = ", ".join(f"{each.name} (pid {each.pid})" for each in gone)
        return warning(check, f"gone without `caves down`: {names}", "caves down, then caves up")
    deaf = [each for each in left.processes if each.port and not _listens(each.port)]
    if deaf:
        names = ", ".join(f"{each.name} on port {each.port}" for each in deaf)
        return problem(check, f"running, but not listening: {names}", "caves down, then caves up")
    return ok(check, _listing(left))


def leftovers(folder: Path, known: set[int]) -> Finding:
    """Processes that work on this folder and that no state file knows, so that `caves down` stops none."""
    check = "Leftover processes"
    if not Path("/proc/self/cmdline").exists():
        return skipped(check, "this system does not tell")
    found = [pid for pid in _working_on(folder) if pid not in known]
    if found:
        pids = " ".join(map(str, found))
        return warning(check, f"they use {folder}, and no state file knows them: {pids}", f"kill {pids}")
    return ok(check, "none")


def connection_file(connection: str, config_file: Path | None) -> Finding:
    check = "Connection file"
    try:
        path, _ = find_connection(connection, config_file)
        # As it is written: what the environment adds is no fault of the file.
        tables = next(tables for file, tables in connections_by_file(config_file) if file == path)
    except ConnectionNotFound as error:
        mend = "caves up" if connection == "local" else f"snow connection add --connection-name {connection}"
        return problem(check, f"{str(error).split('. Start')[0]}.", mend)
    except ConnectionFileUnreadable as error:
        return problem(check, str(error), "mend the file, or name another with --config-file")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and _holds_secrets(tables[connection]):
        found = f"{path} holds a secret and can be read by others (mode {mode:04o})"
        return problem(check, found, f"chmod 600 {path}")
    if mode & 0o077:
        return warning(check, f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    return ok(check, f"{path}, mode {mode:04o}")


def _holds_secrets(written: Mapping[str, Any]) -> bool:
    return any(written.get(key) for key in _SECRETS)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _listing(left: State) -> str:
    return ", ".join(f"{each.name} on port {each.port} (pid {each.pid})" for each in left.processes)


def _pids(folder: StateFolder) -> set[int]:
    try:
        left = state.load(folder)
    except StateUnreadable:
        return set()
    return {member for each in left.running for member in processes.family(each.pid)}


def _working_on(folder: Path) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
            here = (entry.parent / "cwd").resolve()
        except OSError:
            continue
        is_ours = any(name in word for name in _OURS for word in words[:4])
        if is_ours and any((here / word).is_relative_to(folder) for word in words if "/" in word):
            yield int(entry.parent.name)
