"""Connections by name, from the Snowflake CLI's own files.

One file serves the `snow` CLI, this package and the `caves` command, so a connection is set up once, by the
means that Snowflake documents. Two shapes exist: config.toml has tables [connections.NAME],
connections.toml has [NAME].
https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-cli
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from ingest.errors import ConnectionFileUnreadable, ConnectionNotFound

CONFIG_FILE_VARIABLE: Final = "CAVES_CONFIG_FILE"
LOCAL_CONFIG_FILE: Final = Path(".caves/config.toml")

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
    return find_connection(name, config_file)[1]


def find_connection(name: str, config_file: Path | str | None = None) -> tuple[Path, ConnectionParameters]:
    """As `load_connection`, with the file that it stands in."""
    available: list[str] = []
    for path, connections in connections_by_file(config_file):
        available.extend(connections)
        if name in connections:
            return path, _connection_parameters(name, connections[name])
    raise ConnectionNotFound(name, _candidates(config_file), available)


def connections_by_file(config_file: Path | str | None = None) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each file that is searched, and the connections in it as they are written."""
    explicit = config_file or os.environ.get(CONFIG_FILE_VARIABLE)
    for path in _candidates(config_file):
        yield path, _read_connections(path, required=bool(explicit))


def _candidates(config_file: Path | str | None) -> list[Path]:
    explicit = config_file or os.environ.get(CONFIG_FILE_VARIABLE)
    return [Path(explicit)] if explicit else _default_files()


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
