"""The connection that a command was given by name."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snowflake.connector import SnowflakeConnection

from caves_snowpark import names
from ingest import connections
from ingest.connection_files import LOCAL_CONFIG_FILE, ConnectionParameters, load_connection
from ingest.errors import ConnectionFileUnreadable, ConnectionNotFound, WarehouseUnreachable

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_KNOCK_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Target:
    """A named connection, the file it stands in, and the database and warehouse of the pipeline there."""

    name: str
    config_file: Path | None
    database: str
    warehouse: str
    # What the snow CLI must be told because the connection itself says otherwise, or nothing.
    flags: tuple[str, ...] = ()

    def open(self) -> SnowflakeConnection:
        """A session in the pipeline's database; one sentence and no traceback when that cannot be."""
        parameters = load_connection(self.name, self.config_file)
        parameters.update({"database": self.database, "warehouse": self.warehouse})
        knock(parameters)
        return connections.open_connection(parameters)

    @property
    def environment(self) -> dict[str, str]:
        """What the templates of snowflake.yml and deploy/ take."""
        return {"CAVES_DATABASE": self.database, "CAVES_WAREHOUSE": self.warehouse}

    @property
    def settings(self) -> dict[str, str]:
        """Of these, what differs from the defaults in snowflake.yml."""
        defaults = (names.DEFAULT_DATABASE, names.DEFAULT_WAREHOUSE)
        pairs = zip(self.environment.items(), defaults, strict=True)
        return {key: value for (key, value), default in pairs if value != default}


def knock(parameters: ConnectionParameters) -> None:
    """Tell at once, and in plain words, that a server on this machine is gone; the connector tries on."""
    if parameters.get("host") not in _LOOPBACK or "port" not in parameters:
        return
    try:
        socket.create_connection((parameters["host"], parameters["port"]), _KNOCK_SECONDS).close()
    except OSError as error:
        raise WarehouseUnreachable(parameters.where, error.strerror or error) from error


def target(
    name: str, config_file: Path | None = None, database: str | None = None, warehouse: str | None = None
) -> Target:
    """Flags win over the connection's own database and warehouse, and those over the defaults."""
    parameters = load_connection(name, config_file)
    chosen = {
        "database": database or parameters.get("database") or names.DEFAULT_DATABASE,
        "warehouse": warehouse or parameters.get("warehouse") or names.DEFAULT_WAREHOUSE,
    }
    flags = [(f"--{key}", value) for key, value in chosen.items() if value != parameters.get(key)]
    return Target(
        name,
        config_file or _local_file(name),
        flags=tuple(part for flag in flags for part in flag),
        **chosen,
    )


def _local_file(name: str) -> Path | None:
    # The snow CLI does not look into the working folder by itself, so it must be told.
    try:
        load_connection(name, LOCAL_CONFIG_FILE)
    except (ConnectionNotFound, ConnectionFileUnreadable):
        return None
    return LOCAL_CONFIG_FILE
