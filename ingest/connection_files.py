"""Connections by name, from the Snowflake CLI's own files and environment variables.

One file serves the `snow` CLI, this package and the `caves` command, so a connection is set up once, by the
means that Snowflake documents. Two shapes exist: config.toml has tables [connections.NAME],
connections.toml has [NAME]. Names and precedence are the CLI's:

    SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>   over what the file says
    the file                             connections.toml; without one, config.toml
    SNOWFLAKE_<KEY>                      where neither says anything

https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from platformdirs import PlatformDirs

from ingest.errors import ConnectionFileUnreadable, ConnectionNotFound

CONFIG_FILE_VARIABLE: Final = "CAVES_CONFIG_FILE"
LOCAL_CONFIG_FILE: Final = Path(".caves/config.toml")

# As the CLI has them: two spellings of one key, of which the first is gone after reading.
_ALIASES: Final = {"private_key_path": "private_key_file", "private_key_file_pwd": "private_key_passphrase"}
# What SNOWFLAKE_<KEY> may say; the order is the CLI's, for of two spellings the first counts.
_FROM_ENVIRONMENT: Final = (
    *("account", "user", "password", "host", "port", "protocol", "authenticator"),
    *("workload_identity_provider", "private_key_file", "private_key_path", "private_key_raw"),
    *("database", "schema", "role", "warehouse", "token", "token_file_path"),
    *("oauth_client_id", "oauth_client_secret", "oauth_authorization_url", "oauth_token_request_url"),
    *("oauth_redirect_uri", "oauth_scope", "oauth_disable_pkce", "oauth_enable_refresh_tokens"),
    *("oauth_enable_single_use_refresh_tokens", "client_store_temporary_credential", "secondary_roles"),
)
_FLAGS: Final = frozenset(
    {
        "oauth_disable_pkce",
        "oauth_enable_refresh_tokens",
        "oauth_enable_single_use_refresh_tokens",
        "client_store_temporary_credential",
    }
)
_SECRETS: Final = ("password", "passcode", "token", "private_key", "secret", "pwd", "passphrase")
# A path or an address is no secret, and the reader of a message needs it.
_PATHS: Final = ("_file", "_path")
_NO_SECRETS: Final = ("_url", "_tokens")
# A token is longer, and a private key has line ends too.
_LONGEST_PATH: Final = 160


class ConnectionParameters(dict[str, Any]):
    """What a connection says; prints its secrets as ***, so that no log or traceback spells one."""

    # Which connection it is, for messages.
    name: str = "?"

    def __repr__(self) -> str:
        return repr({key: "***" if _is_secret(key, value) else value for key, value in self.items()})

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
    warehouse's file in the working folder comes first, then the user's own Snowflake files.
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
    if not home.exists():
        # ~/.config/snowflake (XDG_CONFIG_HOME) on Linux, and what is customary elsewhere.
        home = PlatformDirs(appname="snowflake", appauthor=False).user_config_path
    connections = home / "connections.toml"
    # One replaces the other; the CLI does not read both.
    return [LOCAL_CONFIG_FILE, connections if connections.exists() else home / "config.toml"]


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
    parameters = ConnectionParameters()
    for key, value in {**table, **_overrides(name)}.items():
        parameters[_ALIASES.get(key, key)] = value
    for key in _FROM_ENVIRONMENT:
        if value := os.environ.get(f"SNOWFLAKE_{key.upper()}"):
            parameters.setdefault(_ALIASES.get(key, key), value)
    if "PRIVATE_KEY_PASSPHRASE" in os.environ and {"private_key_file", "private_key_raw"} & set(parameters):
        parameters["private_key_passphrase"] = os.environ["PRIVATE_KEY_PASSPHRASE"]
    for key in _FLAGS & set(parameters):
        # A variable of the environment is text, and the connector takes any text for true.
        parameters[key] = str(parameters[key]).lower() in ("true", "1", "yes", "on")
    parameters.name = name
    return parameters


def _overrides(name: str) -> dict[str, str]:
    prefix = f"SNOWFLAKE_CONNECTIONS_{name.upper()}_"
    return {key[len(prefix) :].lower(): value for key, value in os.environ.items() if key.startswith(prefix)}


def is_path(value: object) -> bool:
    """Whether what stands for a path can be one: the key itself is put there by mistake, or a token is."""
    text = str(value)
    return len(text) <= _LONGEST_PATH and text.isprintable() and "-----BEGIN" not in text


def _is_secret(key: str, value: object) -> bool:
    if key.endswith(_PATHS):
        return not is_path(value)
    return not key.endswith(_NO_SECRETS) and any(word in key for word in _SECRETS)
