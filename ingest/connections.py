"""Opening a connection by name, so that whoever waits at a terminal knows within seconds why it cannot be."""

from pathlib import Path
from typing import Final

import snowflake.connector
from snowflake.connector import errors as connector_errors
from snowflake.connector.backoff_policies import exponential_backoff

from ingest import credentials
from ingest.connection_files import ConnectionParameters, load_connection
from ingest.errors import WarehouseRefusedLogin, WarehouseUnreachable

__all__ = ["ConnectionParameters", "connect", "load_connection", "open_connection", "reason_of"]

# The connector retries a login for minutes by default; a person at a terminal wants to know within seconds.
LOGIN_TIMEOUT_SECONDS: Final = 8
# Snowflake answers a long statement every 45 s with "still running": a longer silence is a fault.
SOCKET_TIMEOUT_SECONDS: Final = 60
# How long one request is repeated when the network breaks, and the longest pause in between: the connector
# would wait up to 16 s, and find late a warehouse that is back. After that the caller decides.
NETWORK_TIMEOUT_SECONDS: Final = 20
LONGEST_PAUSE_SECONDS: Final = 2


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
    # Of this kind, so that a tool that shows the variables of a traceback shows no secret.
    arguments = ConnectionParameters(
        {
            "login_timeout": LOGIN_TIMEOUT_SECONDS,
            "socket_timeout": LOGIN_TIMEOUT_SECONDS,
            "network_timeout": NETWORK_TIMEOUT_SECONDS,
            "backoff_policy": exponential_backoff(cap=LONGEST_PAUSE_SECONDS),
            "application": "caves",
            **credentials.for_connector(parameters),
        }
    )
    try:
        connection = snowflake.connector.connect(**arguments)
    except connector_errors.Error as error:
        if _is_refusal(error):
            raise WarehouseRefusedLogin(
                parameters.name, parameters.where, parameters.get("user"), reason_of(error)
            ) from error
        raise WarehouseUnreachable(parameters.where, reason_of(error)) from error
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
