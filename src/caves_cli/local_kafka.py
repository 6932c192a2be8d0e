"""Which broker and topic a command means when it is not told: those of `caves up`, else the usual ones."""

from typing import Final

from caves_cli import project, state
from caves_cli.state import StateFolder

DEFAULT_BOOTSTRAP: Final = "127.0.0.1:9092"


def bootstrap(given: str | None) -> str:
    return given or _state().bootstrap or DEFAULT_BOOTSTRAP


def topic(given: str | None) -> str:
    return given or _state().topic


def _state() -> state.State:
    return state.load(StateFolder(project.STATE_FOLDER))
