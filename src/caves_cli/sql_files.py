"""The SQL files of deploy/: their variables, and the statements in them once these are filled in."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final

import dotenv
import yaml
from snowflake.connector.util_text import split_statements

from caves_cli.errors import EnvironmentUnknown

ENVIRONMENTS: Final = Path("deploy") / "environments"
_VARIABLE: Final = re.compile(r"<%\s*ctx\.env\.(\w+)\s*%>")


def environments(folder: Path) -> list[str]:
    """The names that --env knows: those of the files in deploy/environments/."""
    return sorted(path.stem for path in (folder / ENVIRONMENTS).glob("*.env"))


def defaults(folder: Path) -> dict[str, str]:
    """The variables with the values that snowflake.yml gives them."""
    definition = yaml.safe_load((folder / "snowflake.yml").read_text(encoding="utf-8"))
    return {name: str(value) for name, value in definition["env"].items()}


def of_environment(folder: Path, environment: str | None) -> dict[str, str]:
    """What the file of an environment sets; nothing without an environment."""
    if environment is None:
        return {}
    file = folder / ENVIRONMENTS / f"{environment}.env"
    if not file.is_file():
        raise EnvironmentUnknown(environment, file.parent, environments(folder))
    return {name: value for name, value in dotenv.dotenv_values(file).items() if value is not None}


def variables(folder: Path, environment: str | None = None) -> dict[str, str]:
    """What is set otherwise than in snowflake.yml: by the shell, else by the environment's file."""
    shell = {name: os.environ[name] for name in defaults(folder) if name in os.environ}
    return {**of_environment(folder, environment), **shell}


def rendered(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in, as the snow CLI does it."""
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def statements(folder: Path, files: Sequence[Path], values: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Each statement, rendered and without its semicolon, and the file it stands in."""
    for file in files:
        text = rendered((folder / file).read_text(encoding="utf-8"), values)
        for statement, _ in split_statements(StringIO(text), remove_comments=True):
            stripped = statement.strip().removesuffix(";").strip()
            if stripped:
                yield file, stripped
