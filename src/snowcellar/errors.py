"""Snowflake-shaped errors: the class, number, SQL state and text that a client would meet.

Everything raised towards a client is a `WarehouseError`; the server turns it into the
failure answer of the wire protocol, never into an HTTP 500, which connectors retry for minutes.
"""

from __future__ import annotations

import os
import re
from errno import EDQUOT, EFBIG, ENOSPC

import duckdb
import snowflake.connector.errors as connector_errors
from sqlglot.errors import SqlglotError

from snowcellar import compilation_errors, conversion_errors, lacking_functions


class WarehouseError(Exception):
    """A failed statement: Snowflake's error number, SQL state and text."""

    def __init__(self, message: str, errno: int = 1003, sqlstate: str = "42000") -> None:
        super().__init__(message)
        self.message = message
        self.errno = errno
        self.sqlstate = sqlstate


class CompilationError(WarehouseError):
    """A statement that cannot be compiled; Snowflake opens its text the same way."""

    def __init__(self, detail: str, errno: int = 1003, sqlstate: str = "42000") -> None:
        super().__init__(f"SQL compilation error:\n{detail}", errno, sqlstate)


class NotEnoughArguments(CompilationError):
    """A call of a function that lacks an argument."""

    def __init__(self, call: str) -> None:
        super().__init__(f"not enough arguments for function [{call}]", 938, "22023")


class ObjectNotFound(CompilationError):
    """An object that is not there, or that the role may not see."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} '{name}' does not exist or not authorized.", 2003, "02000")


class ObjectCannotBeUsed(CompilationError):
    """USE of a database or schema that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Object does not exist, or operation cannot be performed. ('{name}')", 2043, "02000"
        )


class ObjectExists(CompilationError):
    """A CREATE without OR REPLACE or IF NOT EXISTS on a name that is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Object '{name}' already exists.", 2002, "42710")


class AccessDenied(WarehouseError):
    """An object that the role may see, and may not use so."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'",
            3001,
            "42501",
        )


class RoleNotGranted(WarehouseError):
    """USE ROLE of a role that the user does not have."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"SQL access control error:\nRequested role '{role}' is not assigned to the executing user. "
            "Specify another role to activate.",
            3013,
            "42501",
        )


class NoActiveWarehouse(WarehouseError):
    """A statement that needs a virtual warehouse, whose role may not use the session's."""

    def __init__(self) -> None:
        super().__init__(
            "No active warehouse selected in the current session.  Select an active warehouse with the "
            "'use warehouse' command.",
            606,
            "57P03",
        )


class Unsupported(WarehouseError):
    """Something that Snowflake does and snowcellar does not: refused by name, never pretended."""

    def __init__(self, what: str, hint: str = "") -> None:
        text = (
            f"Unsupported feature '{what}' (snowcellar, the local warehouse, does not do this; "
            "what it does is in docs/snowcellar.md)."
        )
        super().__init__(f"{text} {hint}".rstrip(), 2, "0A000")


class DuplicateRowInDml(WarehouseError):
    """A MERGE whose source matches one target row more than once (SEMANTICS 23)."""

    def __init__(self, row_values: str) -> None:
        super().__init__(
            f"Duplicate row detected during DML action\nRow Values: [{row_values}]", 100090, "42P18"
        )


class LockTimeout(WarehouseError):
    """Waited longer than LOCK_TIMEOUT for another transaction's lock."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            f"Statement reached its lock timeout: '{name}' has been locked by another transaction "
            f"for more than {seconds:g} seconds.",
            625,
            "57014",
        )


class Deadlock(WarehouseError):
    """Two transactions wait for each other; this one gives way."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Statement was aborted: the transaction that has locked '{name}' waits for a lock that this "
            "transaction holds (deadlock). Run ROLLBACK and start again.",
            625,
            "40001",
        )


class SerializationFailure(WarehouseError):
    """Another transaction has changed the same rows since this one first wrote or read a stream."""

    def __init__(self) -> None:
        super().__init__(
            "Statement was aborted: another transaction has changed the same rows since this one first "
            "wrote or read a stream. Run ROLLBACK and start again, with what updates or deletes first.",
            625,
            "40001",
        )


class Canceled(WarehouseError):
    """A statement that its client, or the end of the server, has stopped."""

    def __init__(self) -> None:
        super().__init__("SQL execution canceled", 604, "57014")


class DiskFull(WarehouseError):
    """No room for what a statement writes: it may succeed once there is."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The disk that holds the warehouse is full ({detail}). What was committed is safe, this is not "
            "kept. Free some space and run it again.",
            603,
            "53100",
        )


class DatabaseLost(WarehouseError):
    """DuckDB has given a database up until its file is opened anew; the server ends because of it."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The warehouse cannot go on and ends: {detail} What was committed is safe. Free some space and "
            "start the warehouse again.",
            603,
            "58030",
        )


class TableChanged(WarehouseError):
    """A transaction wrote to a table while a stream was made on it; nothing of it is kept."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Table '{name}' was altered while this transaction wrote to it: a stream was created. "
            "The transaction was rolled back; run it again.",
            625,
            "40001",
        )


class TransactionBroken(WarehouseError):
    """A transaction that an earlier failure has ended; nothing of it is kept."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "The transaction was rolled back because an earlier statement in it failed "
            f"({cause.splitlines()[0] if cause else 'unknown'}). Snowflake would have kept it open; "
            "snowcellar cannot. Run ROLLBACK and start again.",
            90237,
            "25P02",
        )


_DUCKDB_ERRORS: tuple[tuple[type[duckdb.Error], int, str], ...] = (
    (duckdb.ParserException, 1003, "42000"),
    (duckdb.CatalogException, 2003, "42S02"),
    (duckdb.BinderException, 904, "42000"),
    (duckdb.ConversionException, 100038, "22018"),
    (duckdb.InvalidInputException, 100037, "22000"),
    (duckdb.OutOfRangeException, 100046, "22003"),
    (duckdb.ConstraintException, 100072, "22000"),
    (duckdb.TransactionException, 625, "40001"),
)


def as_warehouse_error(error: Exception, statement: str = "") -> WarehouseError:
    """The Snowflake-shaped error for whatever a layer below raised while it ran a statement."""
    if isinstance(error, WarehouseError):
        return error
    if isinstance(error, connector_errors.Error) and isinstance(error.__cause__, duckdb.Error):
        return _from_duckdb(error.__cause__)
    if isinstance(error, connector_errors.Error):
        return WarehouseError(
            error.raw_msg or str(error.msg),
            error.errno if error.errno > 0 else 1003,
            error.sqlstate if _SQLSTATE.match(error.sqlstate or "") else "42000",
        )
    if isinstance(error, RecursionError):
        return CompilationError("The statement is nested too deeply.")
    if isinstance(error, SqlglotError):
        return CompilationError(_without_terminal_codes(str(error)))
    if isinstance(error, duckdb.Error):
        return _from_duckdb(error)
    if isinstance(error, NotImplementedError):
        return Unsupported(str(error) or type(error).__name__)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return DiskFull(str(error))
    if _raised_in(error) in _TRANSLATORS:
        shown = " ".join(statement.split())[:120] or "this statement"
        return Unsupported(shown, f"Its translation fails ({type(error).__name__}: {error}).")
    return WarehouseError(f"Internal error of snowcellar: {type(error).__name__}: {error}", 603, "XX000")


_TRANSLATORS = ("sqlglot", "fakesnow")
"""What these stumble over is SQL that they do not know, or that there is not."""


def _raised_in(error: Exception) -> str:
    """The package whose code raised an error."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    name = str(place.tb_frame.f_globals.get("__name__")) if place is not None else ""
    return name.partition(".")[0]


_SQLSTATE = re.compile(r"\A[0-9A-Z]{5}\Z")

_NO_ROOM = (ENOSPC, EDQUOT, EFBIG)
"""A full disk, a quota, or a limit on the size of a file."""
_SAYS_NO_ROOM = re.compile("|".join(re.escape(os.strerror(number)) for number in _NO_ROOM))
_SAYS_LOST = "has been invalidated"
_OF_FILES = (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)
"""What DuckDB raises when a file cannot be written; others may quote such words from the data."""

_OF_COMPILATION = (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException)

_TAKEN_NAME = re.compile(r'Catalog Error: \w+ with name "([^"]+)" already exists')
_MISSING_TABLE = re.compile(r"Catalog Error: (?:Table|View|Sequence|Schema) with name (\S+) does not exist")
_MISSING_FUNCTION = re.compile(
    r"Catalog Error: (?:Scalar|Table|Aggregate) Function with name \"?(\w+)\"? (?:does not exist|is not in)"
)
_MISSING_COLUMN = re.compile(r'Referenced (?:column|table) "([^"]+)" not found')


def _from_duckdb(error: duckdb.Error) -> WarehouseError:
    text = str(error).split("\n\nLINE")[0].split("\n")[0]
    if "Division by zero" in text or "division by zero" in text:
        return WarehouseError("Division by zero", 100051, "22012")
    if isinstance(error, duckdb.TransactionException) and "Conflict on" in text:
        return SerializationFailure()
    if "Attempting to write to database" in text:
        return Unsupported(
            "a transaction that writes to two databases",
            "Commit between the two; DuckDB writes one file a transaction.",
        )
    if "Malformed JSON" in text:
        return WarehouseError(f"Error parsing JSON: {text.partition(':')[2].strip()}", 100069, "22P02")
    if isinstance(error, duckdb.NotSupportedError):
        return Unsupported(text.partition(":")[2].strip())
    if isinstance(error, duckdb.InterruptException):
        return Canceled()
    if isinstance(error, _OF_FILES) and _SAYS_LOST in text:
        return DatabaseLost(text)
    if isinstance(error, _OF_FILES) and _SAYS_NO_ROOM.search(text):
        return DiskFull(text)
    if "NOT NULL constraint failed" in text:
        return WarehouseError(
            f"NULL result in a non-nullable column ({text.split(':')[-1].strip()})", 100072, "22000"
        )
    if taken := _TAKEN_NAME.match(text):
        return CompilationError(f"Object '{taken[1]}' already exists.", 2002, "42710")
    if missing := _MISSING_TABLE.match(text):
        return CompilationError(f"Object '{missing[1]}' does not exist or not authorized.", 2003, "42S02")
    if missing := _MISSING_FUNCTION.match(text):
        return _missing_function(missing[1].upper())
    if missing := _MISSING_COLUMN.search(text):
        return CompilationError(f"invalid identifier '{missing[1]}'", 904, "42000")
    if isinstance(error, _OF_COMPILATION) and (said := compilation_errors.told(text)):
        return CompilationError(*said)
    if isinstance(error, duckdb.ConversionException) and (told := conversion_errors.told(text)):
        return WarehouseError(*told)
    for kind, errno, sqlstate in _DUCKDB_ERRORS:
        if isinstance(error, _OF_COMPILATION) and isinstance(error, kind):
            return CompilationError(text.partition(": ")[2], errno, sqlstate)
        if isinstance(error, kind):
            return WarehouseError(text, errno, sqlstate)
    return WarehouseError(text, 603, "XX000")


def _missing_function(name: str) -> WarehouseError:
    if lacking := lacking_functions.lacking(name):
        return Unsupported(f"the function {lacking}")
    return CompilationError(f"Unknown function {name}.", 2140, "42601")


def _without_terminal_codes(text: str) -> str:
    return text.replace("\x1b[4m", "").replace("\x1b[0m", "")
