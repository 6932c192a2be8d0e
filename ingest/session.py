"""A session of the warehouse that reconnects, and tells what each failure means for the caller."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

from snowflake.connector import errors as connector_errors

from ingest.connections import connect, load_connection, reason_of
from ingest.errors import WarehouseBusy, WarehouseRefused, WarehouseRefusedValue, WarehouseUnreachable

log = logging.getLogger(__name__)

# Lock timeout, internal error, cancelled, warehouse not usable now: the same statement may work next time.
_BUSY: Final = frozenset({625, 603, 604, 608, 609, 630})
# The session is gone on the server's side; a new one is needed, and what it had open is rolled back.
_SESSION_GONE: Final = frozenset({390104, 390110, 390111, 390112, 390113, 390114, 390195})
# What Snowflake numbers so, it met in the data while it ran; below are syntax, names and rights.
_OF_A_VALUE: Final = range(100_000, 101_000)
_LONGEST_STATEMENT_SHOWN: Final = 60


class Result(NamedTuple):
    rows: list[tuple[Any, ...]]
    rowcount: int


class WarehouseSession:
    """Runs statements one after the other; connects when it has to."""

    def __init__(self, open_: Callable[[], Any], where: str) -> None:
        self._open = open_
        self._where = where
        self._connection: Any = None

    def run(
        self,
        statement: str,
        parameters: Sequence[Any] | None = None,
        file: BytesIO | None = None,
        seconds: int | None = None,
    ) -> Result:
        """Run one statement. After WarehouseUnreachable its outcome is unknown and the session is gone.

        The connector cancels a statement after the connection's network timeout, were it ever so busy:
        `seconds` gives one that works for long its time.
        """
        if self._connection is None:
            self._connection = self._open()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, parameters, timeout=seconds, file_stream=file)
                return Result(cursor.fetchall(), cursor.rowcount or 0)
        except (connector_errors.Error, OSError) as error:
            raise self._meaning(error, statement) from error

    def drop(self) -> None:
        """Forget the connection; the server rolls back what it had open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close(retry=False)

    def _meaning(self, error: Exception, statement: str) -> Exception:
        shown = " ".join(statement.split())[:_LONGEST_STATEMENT_SHOWN]
        number = int(getattr(error, "errno", 0) or 0)
        answered = isinstance(error, connector_errors.ProgrammingError | connector_errors.IntegrityError)
        if not answered or number in _SESSION_GONE:
            self.drop()
            return WarehouseUnreachable(self._where, reason_of(error))
        if number in _BUSY:
            return WarehouseBusy(shown, reason_of(error))
        if number in _OF_A_VALUE:
            return WarehouseRefusedValue(shown, reason_of(error))
        return WarehouseRefused(shown, reason_of(error))


def warehouse_session(connection: str, config_file: Path | None = None) -> WarehouseSession:
    """A session of the connection of that name; ConnectionNotFound at once when there is none.

    The file is read anew for each reconnect: keys and passwords are changed while a service runs.
    """
    where = load_connection(connection, config_file).where
    return WarehouseSession(partial(connect, connection, config_file), where)
