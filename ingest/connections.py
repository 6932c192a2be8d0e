"""Connections by name, from the Snowflake CLI's own files.

One file serves the `snow` CLI, this package and the `caves` command, so a connection is set up once, by the
means that Snowflake documents. Two shapes exist: config.toml has tables [connections.NAME],
connections.toml has [NAME].
https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-cli
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import snowflake.connector
from snowflake.connector import errors as connector_errors
from snowflake.connector.backoff_policies import exponential_backoff

from ingest.errors import (
    ConnectionFileUnreadable,
    ConnectionNotFound,
    WarehouseRefusedLogin,
    WarehouseUnreachable,
)

CONFIG_FILE_VARIABLE: Final = "CAVES_CONFIG_FILE"
LOCAL_CONFIG_FILE: Final = Path(".caves/config.toml")

# The connector retries a login for minutes by default; a person at a terminal wants to know within seconds.
LOGIN_TIMEOUT_SECONDS: Final = 8
# Snowflake answers a long statement every 45 s with "still running": a longer silence is a fault.
SOCKET_TIMEOUT_SECONDS: Final = 60
# How long one request is repeated when the network breaks, and the longest pause in between: the connector
# would wait up to 16 s, and find late a warehouse that is back. After that the caller decides.
NETWORK_TIMEOUT_SECONDS: Final = 20
LONGEST_PAUSE_SECONDS: Final = 2

# The CLI spells these its own way; the connector knows only the right-hand names.
_CONNECTOR_NAMES: Final = {
    "private_key_path": "private_key_file",
    "private_key_passphrase": "private_key_file_pwd",
}
_SECRETS: Final = ("password", "passcode", "token", "private_key", "secret", "pwd", "passphrase")
# A path is no secret, and the reader of a message needs it.
_PATH_SUFFIXES: Final = ("_file", "_path")


class ConnectionParameters(dict[str, Any]):
    """What the connector takes; prints its secrets as ***, so that no log or traceback spells one."""

    def __repr__(self) -> str:
        return repr({key: "***" if _is_secret(key) else value for key, value in self.items()})

    __str__ = __repr__

    @property
    def where(self) -> str:
        """The place, for messages: host and port when given, else the account."""
        host = self.get("host")
        if host is None:
            return f"account {self.get('account', '?')}"
        return f"{host}:{self['port']}" if "port" in self else str(host)


def load_connection(name: str, config_file: Path | str | None = None) -> ConnectionParameters:
    """The parameters of the connection `name`.

    An explicit file (argument, then CAVES_CONFIG_FILE) is the only one searched. Otherwise the local
    warehouse's file in the working folder comes first, then the user's own Snowflake files. As in the
    `snow` CLI, variables SNOWFLAKE_CONNECTIONS_<NAME>_<KEY> override single keys, so that a secret need not
    stand in a file.
    """
    explicit = config_file or os.environ.get(CONFIG_FILE_VARIABLE)
    candidates = [Path(explicit)] if explicit else _default_files()
    available: list[str] = []
    for path in candidates:
        connections = _read_connections(path, required=bool(explicit))
        available.extend(connections)
        if name in connections:
            return _connection_parameters(name, connections[name])
    raise ConnectionNotFound(name, candidates, available)


def connect(name: str, config_file: Path | str | None = None) -> "snowflake.connector.SnowflakeConnection":
    """An open connection, or within seconds one sentence that says why not.

    A refusal counts only if the file still says what was refused: a password may change during the seconds
    that a login is tried, as it does when the local warehouse starts again.
    """
    parameters = load_connection(name, config_file)
    try:
        return open_connection(parameters)
    except WarehouseRefusedLogin:
        current = load_connection(name, config_file)
        if current == parameters:
            raise
        return open_connection(current)


def open_connection(parameters: ConnectionParameters) -> "snowflake.connector.SnowflakeConnection":
    """As `connect`, from parameters read before: a long-running writer reconnects with the same ones."""
    arguments = {
        "login_timeout": LOGIN_TIMEOUT_SECONDS,
        "socket_timeout": LOGIN_TIMEOUT_SECONDS,
        "network_timeout": NETWORK_TIMEOUT_SECONDS,
        "backoff_policy": exponential_backoff(cap=LONGEST_PAUSE_SECONDS),
        "application": "caves",
        **parameters,
    }
    try:
        connection = snowflake.connector.connect(**arguments)
    except connector_errors.Error as error:
        if _is_refusal(error):
            raise WarehouseRefusedLogin(parameters.where, parameters.get("user"), reason_of(error)) from error
        raise WarehouseUnreachable(parameters.where, reason_of(error)) from error
    except OSError as error:
        # A key file that is not there: the connector lets Python's own error through.
        raise WarehouseRefusedLogin(parameters.where, parameters.get("user"), error) from error
    # A server that accepts and never answers holds a login for the socket timeout, not the login timeout, so
    # the login has the short one. The connector has no public way to lengthen it for the statements after it.
    vars(connection)["_socket_timeout"] = parameters.get("socket_timeout", SOCKET_TIMEOUT_SECONDS)
    return connection


def reason_of(error: Exception) -> str:
    """The connector's message on one line, without its error number repeated or its closing full stop."""
    text = " ".join(str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error).split())
    return text.rstrip(".") or type(error).__name__


def _is_refusal(error: "connector_errors.Error") -> bool:
    # 250001 covers both "no answer" and "wrong password"; only the latter carries the server's SQLSTATE 08001
    # with a login error of the 390xxx family, or comes as a ProgrammingError before anything was sent.
    refused = isinstance(error, connector_errors.ProgrammingError | connector_errors.ForbiddenError)
    return refused or 390000 <= int(error.errno or 0) < 400000 or "incorrect username" in str(error).lower()


def _default_files() -> list[Path]:
    home = Path(os.environ.get("SNOWFLAKE_HOME", "~/.snowflake")).expanduser()
    return [LOCAL_CONFIG_FILE, home / "connections.toml", home / "config.toml"]


def _read_connections(path: Path, *, required: bool) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if required:
            raise ConnectionFileUnreadable(path, "there is no such file") from error
        return {}
    except (OSError, ValueError) as error:
        raise ConnectionFileUnreadable(path, error) from error
    if path.name == "connections.toml" and "connections" not in document:
        return {key: table for key, table in document.items() if isinstance(table, dict)}
    return cast(Mapping[str, Any], document.get("connections", {}))


def _connection_parameters(name: str, table: Mapping[str, Any]) -> ConnectionParameters:
    merged = {**table, **_overrides(name)}
    renamed = {_CONNECTOR_NAMES.get(key, key): value for key, value in merged.items()}
    parameters = ConnectionParameters(renamed)
    if "private_key_file" in parameters and "PRIVATE_KEY_PASSPHRASE" in os.environ:
        # The `snow` CLI's own variable for the passphrase of a key file.
        parameters.setdefault("private_key_file_pwd", os.environ["PRIVATE_KEY_PASSPHRASE"])
    return parameters


def _overrides(name: str) -> dict[str, str]:
    prefix = f"SNOWFLAKE_CONNECTIONS_{name.upper()}_"
    return {key[len(prefix) :].lower(): value for key, value in os.environ.items() if key.startswith(prefix)}


def _is_secret(key: str) -> bool:
    return not key.endswith(_PATH_SUFFIXES) and any(word in key for word in _SECRETS)
