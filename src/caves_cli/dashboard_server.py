"""Streamlit's server in this process, so that no credential has to be handed to another one."""

import socket
from pathlib import Path
from typing import Final

from streamlit.web import bootstrap

import dashboard
from caves_cli.errors import PortInUse

APP: Final = Path(dashboard.__file__).with_name("streamlit_app.py")


def check(port: int) -> None:
    """Whether the port is free, said before anything is begun; Streamlit would say it in its log."""
    with socket.socket() as probe:
        # As the server will, so that a port that was left a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUse(port, error.strerror or str(error)) from error


def serve(port: int, *, open_browser: bool) -> None:
    """Serve the app on this machine only, until Ctrl-C."""
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": not open_browser,
        # Nothing is looked up or reported elsewhere, and no file is watched.
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "127.0.0.1",
        "server.fileWatcherType": "none",
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "logger.level": "warning",
    }
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    bootstrap.run(str(APP), False, [], flags)
