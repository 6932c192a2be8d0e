"""Looking at the pipeline again and again through one session, opened anew when it breaks."""

from contextlib import suppress

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error, ProgrammingError

from caves_cli import overview
from caves_cli.connection import Target, knock
from caves_cli.errors import NotDeployed
from caves_cli.overview import Overview
from ingest.connection_files import load_connection
from ingest.errors import WarehouseUnreachable


class Looker:
    """Answers what `caves status` asks."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session: SnowflakeConnection | None = None

    def look(self) -> Overview:
        """The overview now. A session that failed is not used again."""
        self._knock()
        session = self._session or self._target.open()
        self._session = None
        try:
            seen = overview.look(session)
        except ProgrammingError as error:
            _close(session)
            raise NotDeployed(self._target.name, error.msg or str(error)) from error
        except Error:
            _close(session)
            raise
        self._session = session
        return seen

    def _knock(self) -> None:
        """A session that is open would be tried for 40 seconds."""
        if self._session is not None:
            try:
                knock(load_connection(self._target.name, self._target.config_file))
            except WarehouseUnreachable:
                self._session = None
                raise


def _close(session: SnowflakeConnection) -> None:
    with suppress(Exception):
        session.close(retry=False)
