"""What an analyst has: a connection in a file of its own, and the tools that read through it."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from snowflake.connector import SnowflakeConnection
from snowflake.sqlalchemy import URL

from ingest.connection_files import ConnectionParameters, load_connection
from ingest.connections import open_connection
from ingest.credentials import for_connector
from tests.clients.jdbc import driver
from tests.clients.jdbc.driver import Answer

# What the address of a SQLAlchemy engine says; all else are arguments of the connector.
_IN_THE_ADDRESS = ("account", "user", "host", "port", "protocol", "database", "schema", "warehouse", "role")


@dataclass(frozen=True)
class Client:
    """A connection by name, as a person wrote it down."""

    config_file: Path
    name: str

    @property
    def parameters(self) -> ConnectionParameters:
        return load_connection(self.name, self.config_file)

    def connector(self) -> SnowflakeConnection:
        """A connection as `caves ingest` opens it; the caller closes it."""
        return open_connection(self.parameters)

    def sqlalchemy(self) -> sa.Engine:
        """An engine on the dialect snowflake-sqlalchemy."""
        parameters = self.parameters
        address = {key: parameters[key] for key in _IN_THE_ADDRESS if key in parameters}
        arguments = {
            key: value for key, value in for_connector(parameters).items() if key not in _IN_THE_ADDRESS
        }
        return sa.create_engine(URL(**address), connect_args=arguments)

    def frame(self, question: str, **values: Any) -> pd.DataFrame:
        """What pandas makes of the answer to a question."""
        engine = self.sqlalchemy()
        try:
            with engine.connect() as connection:
                return pd.read_sql(sa.text(question), connection, params=values)
        finally:
            engine.dispose()

    def jdbc(self, *questions: str) -> list[Answer]:
        """What the JDBC driver answers; driver.Unavailable where there is none."""
        return driver.ask(self.parameters, *questions)


def write_connection(file: Path, name: str, like: Path, **said: Any) -> Client:
    """A connection in a file that only its owner reads, to the place of another file's `local`."""
    local = tomllib.loads(like.read_text(encoding="utf-8"))["connections"]["local"]
    place = {key: local[key] for key in ("account", "host", "port", "protocol")}
    lines = [f"{key} = {json.dumps(value, default=str)}" for key, value in {**place, **said}.items()]
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write("\n".join([f"{before}[connections.{name}]", *lines, ""]))
    return Client(file, name)
