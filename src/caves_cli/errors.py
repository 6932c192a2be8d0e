"""What a command can fail with. Every message says what happened, to which thing, and what to do next."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from caves_cli.exit_codes import ExitCode


class CavesError(Exception):
    """Root of the command's own errors; `caves` prints it without a traceback."""

    exit_code: ClassVar = ExitCode.FAILED


class NotInProject(CavesError):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not inside the project: no snowflake.yml with a deploy/ folder here or above.\n"
            "Change to the folder you cloned and try again."
        )


class SnowNotFound(CavesError):
    def __init__(self, expected: Path) -> None:
        super().__init__(f"The snow CLI is not at {expected} and not on the PATH. Run `make install`.")


class SnowEnded(CavesError):
    def __init__(self, arguments: str) -> None:
        super().__init__(
            f"The snow CLI ended without an answer to `snow {arguments}`.\n"
            "What it wrote is above. Everything it does can be repeated: run the same command again."
        )


class AlreadyUp(CavesError):
    def __init__(self, folder: Path, port: int | None) -> None:
        super().__init__(
            f"The local warehouse of {folder} is already running on port {port}.\n"
            "`caves status` looks at it, `caves down` stops it."
        )


class PortInUse(CavesError):
    def __init__(self, port: int, reason: str) -> None:
        super().__init__(
            f"The dashboard cannot listen on port {port} ({reason}).\nGive it another one with --port."
        )


class DidNotStart(CavesError):
    def __init__(self, name: str, log: Path, last_line: str) -> None:
        super().__init__(f"The {name} did not start: {last_line or 'it said nothing'}\nIts log is {log}.")


class StateUnreadable(CavesError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read ({reason}), so what `caves up` started is not known.\n"
            "Stop it by hand if it still runs, delete that file, and try again."
        )


class DeployFailed(CavesError):
    """One step of the deployment was refused; the later ones were not tried."""

    def __init__(self, command: str, reason: str, file: Path | None, statement: str | None) -> None:
        where = f"{file}: {statement}" if file is not None else command
        super().__init__(f"Deploy stopped at {where}\n{reason}")
        self.file = file
        self.statement = statement


class EnvironmentUnknown(CavesError):
    exit_code = ExitCode.USAGE

    def __init__(self, name: str, folder: Path, known: list[str]) -> None:
        there = ", ".join(known) or "none"
        super().__init__(
            f"There is no environment {name!r}: no {name}.env in {folder}. There: {there}.\n"
            f"Give one of these with --env, or write {name}.env beside them."
        )


class NotBootstrapped(CavesError):
    exit_code = ExitCode.NOT_DEPLOYED

    def __init__(self, role: str, reason: str, command: str) -> None:
        super().__init__(
            f"The role {role} cannot be used: {reason}\n"
            f"Somebody who may use ACCOUNTADMIN types once `{command}`,\n"
            f"and grants it to whoever deploys: GRANT ROLE {role} TO USER ...;"
        )


class WouldDropColumns(CavesError):
    """CREATE OR ALTER makes a table what the file says, so a column that is not there goes, with its data."""

    def __init__(self, lost: Mapping[str, Sequence[str]]) -> None:
        named = "; ".join(f"{table}: {', '.join(columns)}" for table, columns in lost.items())
        super().__init__(
            f"Nothing was deployed: columns that deploy/ does not have would be dropped. {named}\n"
            "Is this an older version than the one that is deployed? Then take the newer one. Else add the\n"
            "columns to deploy/, or drop them yourself with ALTER TABLE ... DROP COLUMN."
        )


class NotDeployed(CavesError):
    exit_code = ExitCode.NOT_DEPLOYED

    def __init__(self, connection: str, reason: str) -> None:
        super().__init__(
            f"The pipeline's tables cannot be read through connection {connection!r}: {reason}\n"
            f"Deploy it with `caves deploy -c {connection}`."
        )


class CannotWrite(CavesError):
    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target} cannot be written: {reason}. Give a file in a folder that is there.")


class DemoStalled(CavesError):
    def __init__(self, waited_seconds: float, left: str) -> None:
        super().__init__(f"Nothing moved for {waited_seconds:.0f} s, and this is left to do: {left}.")


class TaskFailed(CavesError):
    """A task of the demo failed and nothing moves: waiting longer would not help."""

    def __init__(self, task: str, error: str, logs: Path) -> None:
        super().__init__(f"Task {task} failed: {failure_reason(error)}\nThe logs are in {logs}.")


def failure_reason(error: str | None) -> str:
    """Of a procedure's failure, which is a Python traceback, the line that names the exception."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    reasons = [line for line in lines if ": " in line and not line.startswith("File ")]
    return (reasons or lines or ["no reason given"])[-1]


class DemoFailed(CavesError):
    """The demo ran to its end, and something in it does not hold."""
