"""Where the project is, and where its snow CLI is."""

import shutil
import sys
from pathlib import Path
from typing import Final

from caves_cli.errors import NotInProject, SnowNotFound

STATE_FOLDER: Final = Path(".caves")


def root() -> Path:
    """The clone: around the working folder, or else where this package was installed from."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parents[2]):
        if (folder / "snowflake.yml").is_file() and (folder / "deploy").is_dir():
            return folder
    raise NotInProject(here)


def as_typed(name: str) -> str:
    """How to type a program of ours: by name where the PATH has it, else by where it is."""
    beside = Path(sys.executable).parent / name
    if shutil.which(name) == str(beside):
        return name
    here = Path.cwd()
    return str(beside.relative_to(here)) if beside.is_relative_to(here) else str(beside)


def executable(name: str) -> Path:
    """A program that was installed beside this Python."""
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    found = shutil.which(name)
    if found is None:
        raise SnowNotFound(beside)
    return Path(found)
