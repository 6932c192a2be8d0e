"""The web server around a warehouse: how long it keeps connections, and whom it sees connected."""

from __future__ import annotations

import gc

import uvicorn

from snowcellar.clients import Address, Clients
from snowcellar.server import application
from snowcellar.warehouse import Warehouse

_KEEP_ALIVE_SECONDS = 4 * 3600
"""As long as Snowflake keeps an idle session: a closed connection then means that its client is gone."""
_SHUTDOWN_SECONDS = 1
"""For answers under way when the server ends; what runs then is interrupted."""
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A syntax tree has thousands of objects that refer to each other; Python's 700 is a collection in the middle
of each, and those take as long as the parsing."""


def web_server(cellar: Warehouse) -> uvicorn.Server:
    """A server for the warehouse, which tells it of the clients that are connected."""
    config = uvicorn.Config(
        application(cellar),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)

    def connected() -> set[Address]:
        clients = [getattr(protocol, "client", None) for protocol in list(server.server_state.connections)]
        return {client for client in clients if client is not None}

    cellar.clients = Clients(connected)
    return server
