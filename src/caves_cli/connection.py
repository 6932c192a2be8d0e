"""The connection that a command was given by name."""

from dataclasses import dataclass
from pathlib import Path

from snowflake.connector import SnowflakeConnection

from caves_snowpark import names
from ingest import connections
from ingest.errors import ConnectionFileUnreadable, ConnectionNotFound


@dataclass(frozen=True)
class Target:
    """A named connection, the file it stands in, and the database and warehouse of the pipeline there."""

    name: str
    config_file: Path | None
    database: str
    warehouse: str

    def open(self) -> SnowflakeConnection:
        """A session in the pipeline's database; one sentence and no traceback when that cannot be."""
        parameters = connections.load_connection(self.name, self.config_file)
        parameters.update({"database": self.database, "warehouse": self.warehouse})
        return connections.open_connection(parameters)

    @property
    def environment(self) -> dict[str, str]:
        """What the templates of snowflake.yml and deploy/ take."""
        return {"CAVES_DATABASE": self.database, "CAVES_WAREHOUSE": self.warehouse}


def target(
    name: str, config_file: Path | None = None, database: str | None = None, warehouse: str | None = None
) -> Target:
    """Flags win over the connection's own database and warehouse, and those over the defaults."""
    parameters = connections.load_connection(name, config_file)
    return Target(
        name,
        config_file or _local_file(name),
        database or parameters.get("database") or names.DEFAULT_DATABASE,
        warehouse or parameters.get("warehouse") or names.DEFAULT_WAREHOUSE,
    )


def _local_file(name: str) -> Path | None:
    # The snow CLI does not look into the working folder by itself, so it must be told.
    try:
        connections.load_connection(name, connections.LOCAL_CONFIG_FILE)
    except (ConnectionNotFound, ConnectionFileUnreadable):
        return None
    return connections.LOCAL_CONFIG_FILE
