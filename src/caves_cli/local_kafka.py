"""Which broker and topic a command means when it is not told: those of `caves up`, else the usual ones."""

from pathlib import Path
from typing import Final

from caves_cli import project, state
from caves_cli.state import StateFolder

DEFAULT_BOOTSTRAP: Final = "127.0.0.1:9092"


def bootstrap(given: str | None) -> str:
    return given or _state().bootstrap or DEFAULT_BOOTSTRAP


def known_bootstrap(given: str | None, connection: str, config_file: Path | None = None) -> str | None:
    """As `bootstrap`, but None where only a guess is left: who merely looks need not knock anywhere."""
    return given or (_state(config_file).bootstrap if connection == "local" else None)


def topic(given: str | None, config_file: Path | None = None) -> str:
    return given or _state(config_file).topic


def _state(config_file: Path | None = None) -> state.State:
    """Of the set-up that the connection file belongs to: `caves demo --keep` has one of its own."""
    folder = StateFolder(config_file.parent if config_file else project.STATE_FOLDER)
    if not folder.state_file.exists():
        folder = StateFolder(project.STATE_FOLDER)
    return state.load(folder)
