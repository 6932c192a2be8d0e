"""What a command's exit code says, in one place: scripts decide by it, and docs/reference/cli.md lists it."""

import sys
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_DEPLOYED = 4
    FAULT = 70
    INTERRUPTED = 130


MEANINGS: Final = {
    ExitCode.OK: "Done, and everything that was checked holds.",
    ExitCode.FAILED: "A check found something wrong, or the work could not be done. The message says which.",
    ExitCode.USAGE: "The command line or a setting cannot be understood. Nothing was begun.",
    ExitCode.UNREACHABLE: "No such connection, or the warehouse or broker does not answer or refuses us.",
    ExitCode.NOT_DEPLOYED: "The warehouse answers, and the pipeline is not there: run `caves deploy`.",
    ExitCode.FAULT: "A fault of caves itself. `--debug` shows where; please report it.",
    ExitCode.INTERRUPTED: "Ctrl-C before the work was done. Commands that Ctrl-C is meant to end (`ingest`, "
    "`produce`, `status --watch`) finish what they have in hand and end with 0.",
}

# Snowflake's numbers for an object, or a database or schema, that is not there or not to be seen.
_ABSENT: Final = frozenset({2003, 2043})


def exit_code(error: BaseException) -> ExitCode:
    """The exit code for an error that ended a command."""
    # Imported here: errors.py takes its exit codes from this module.
    from caves_cli.errors import CavesError
    from ingest import errors as ingest_errors

    unreachable = (
        ingest_errors.ConnectionFileUnreadable,
        ingest_errors.ConnectionNotFound,
        ingest_errors.CredentialUnusable,
        ingest_errors.WarehouseUnreachable,
        ingest_errors.WarehouseRefusedLogin,
        ingest_errors.BrokerUnreachable,
    )
    if isinstance(error, CavesError):
        return error.exit_code
    if isinstance(error, ingest_errors.InvalidSetting):
        return ExitCode.USAGE
    if isinstance(error, unreachable):
        return ExitCode.UNREACHABLE
    if isinstance(error, ingest_errors.IngestError):
        return ExitCode.FAILED
    if is_of_the_connector(error):
        if is_lost_connection(error):
            return ExitCode.UNREACHABLE
        return ExitCode.NOT_DEPLOYED if getattr(error, "errno", 0) in _ABSENT else ExitCode.FAILED
    return ExitCode.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitCode.FAULT


def is_of_the_connector(error: BaseException) -> bool:
    """Whether the Snowflake connector raised it; where it was never imported, it did not."""
    connector = sys.modules.get("snowflake.connector.errors")
    return connector is not None and isinstance(error, connector.Error)


def is_lost_connection(error: BaseException) -> bool:
    """Whether the warehouse went away, as against answering no."""
    connector = sys.modules["snowflake.connector.errors"]
    return not isinstance(error, connector.ProgrammingError | connector.IntegrityError)
