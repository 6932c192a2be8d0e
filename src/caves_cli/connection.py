"""The connection that a command was given by name."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    # The other variables of deploy/ and snowflake.yml that have not their default values.
    variables: Mapping[str, str] = field(default_factory=dict)
    # What --env named, if it was given.
    environment_name: str | None = None

    def open(self) -> SnowflakeConnection:
        """A session in the pipeline's database; one sentence and no traceback when that cannot be."""
        parameters = load_connection(self.name, self.config_file)
        parameters.update({"database": self.database, "warehouse": self.warehouse})
        knock(parameters)
        return connections.open_connection(parameters)

    @property
    def environment(self) -> dict[str, str]:
        """What the templates of snowflake.yml and deploy/ take."""
        return {"CAVES_DATABASE": self.database, "CAVES_WAREHOUSE": self.warehouse, **self.variables}

    def role(self, job: str) -> str:
        """The role of this environment for a job: ADMIN, INGEST, TRANSFORM, ANALYST or OPERATOR."""
        return f"{self.variables.get('CAVES_ROLES', names.DEFAULT_ROLES)}_{job}"

    @property
    def settings(self) -> dict[str, str]:
        """Of these, what differs from the defaults in snowflake.yml."""
        usual = {"CAVES_DATABASE": names.DEFAULT_DATABASE, "CAVES_WAREHOUSE": names.DEFAULT_WAREHOUSE}
        return {key: value for key, value in self.environment.items() if value != usual.get(key)}


def knock(parameters: ConnectionParameters) -> None:
    """Tell at once, and in plain words, that a server on this machine is gone; the connector tries on."""
    if parameters.get("host") not in _LOOPBACK or "port" not in parameters:
        return
    try:
        socket.create_connection((parameters["host"], parameters["port"]), _KNOCK_SECONDS).close()
    except OSError as error:
        raise WarehouseUnreachable(parameters.where, error.strerror or error) from error


def target(
    name: str,
    config_file: Path | None = None,
    database: str | None = None,
    warehouse: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Target:
    """Flags win over the environment's variables, those over the connection, and that over the defaults."""
    parameters = load_connection(name, config_file)
    given = dict(variables or {})
    of_environment = {
        "database": given.pop("CAVES_DATABASE", None),
        "warehouse": given.pop("CAVES_WAREHOUSE", None),
    }
    flagged = {"database": database, "warehouse": warehouse}
    usual = {"database": names.DEFAULT_DATABASE, "warehouse": names.DEFAULT_WAREHOUSE}
    chosen = {key: flagged[key] or of_environment[key] or parameters.get(key) or usual[key] for key in usual}
    flags = [(f"--{key}", value) for key, value in chosen.items() if value != parameters.get(key)]
    return Target(
        name,
        config_file or _local_file(name),
        flags=tuple(part for flag in flags for part in flag),
        variables=given,
        **chosen,
    )


def _local_file(name: str) -> Path | None:
    # The snow CLI does not look into the working folder by itself, so it must be told.
    try:
        load_connection(name, LOCAL_CONFIG_FILE)
    except (ConnectionNotFound, ConnectionFileUnreadable):
        return None
    return LOCAL_CONFIG_FILE
