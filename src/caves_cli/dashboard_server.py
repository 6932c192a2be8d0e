"""Streamlit's server in this process, so that no credential has to be handed to another one."""

from pathlib import Path
from typing import Final

from streamlit.web import bootstrap

import dashboard

APP: Final = Path(dashboard.__file__).with_name("streamlit_app.py")


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
