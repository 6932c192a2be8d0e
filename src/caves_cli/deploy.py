"""Deployment: an order of commands that a person could type, stopped at the first that fails."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from snowflake.connector.util_text import split_statements

from caves_cli import snow
from caves_cli.connection import Target
from caves_cli.errors import DeployFailed
from caves_cli.fingerprint import fingerprint

# Tasks call procedures, so the code goes up before the first file of this number.
PROCEDURES_BEFORE: Final = "070"
_TEMPLATE = re.compile(r"<%\s*ctx\.env\.(\w+)\s*%>")


@dataclass(frozen=True)
class Step:
    """One call of the snow CLI."""

    title: str
    arguments: tuple[str, ...]
    files: tuple[Path, ...] = ()


def steps(folder: Path, target: Target) -> list[Step]:
    """The whole deployment, in order."""
    config = ("--config-file", _from(folder, target.config_file)) if target.config_file else ()
    connection = ("-c", target.name, *target.flags)
    files = sorted(path.relative_to(folder) for path in (folder / "deploy").glob("[0-9]*.sql"))
    tables = tuple(file for file in files if file.name < PROCEDURES_BEFORE)
    graph = tuple(file for file in files if file.name >= PROCEDURES_BEFORE)
    return [
        Step("schemas, tables and streams", (*config, "sql", *connection, *_each(tables)), tables),
        # --ignore-anaconda: the procedures need no package that would have to be looked up; see
        # requirements.txt.
        Step("build of the procedures", (*config, "snowpark", "build", "--ignore-anaconda", *connection)),
        Step("procedures", (*config, "snowpark", "deploy", "--replace", *connection)),
        Step("tasks and views", (*config, "sql", *connection, *_each(graph)), graph),
    ]


def typed(step: Step, target: Target) -> str:
    """The step as a person would type it, in the project's folder."""
    settings = [f"{key}={value}" for key, value in target.settings.items()]
    return shlex.join([*settings, "snow", *step.arguments])


def deploy(target: Target, folder: Path, report: Callable[[Step], None]) -> None:
    """Run every step; DeployFailed names the file and the statement that was refused."""
    # The snow CLI repeats a failing login for minutes; a login of our own says within seconds what is wrong.
    target.open().close()
    environment = {**target.environment, "CAVES_CODE": fingerprint(folder)}
    for step in steps(folder, target):
        report(step)
        answer = snow.run(step.arguments, folder=folder, environment=environment)
        if answer.code != 0:
            file, statement = _refused(step, answer.output, folder, environment)
            raise DeployFailed(typed(step, target), answer.reason, file, statement)


def _from(folder: Path, path: Path) -> str:
    # The snow CLI runs in the project's folder, wherever `caves` was called.
    absolute = path.absolute()
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


def _each(files: tuple[Path, ...]) -> list[str]:
    return [part for file in files for part in ("-f", str(file))]


def _refused(
    step: Step, output: str, folder: Path, values: Mapping[str, str]
) -> tuple[Path | None, str | None]:
    """The last statement that the CLI printed: it prints each one, and then its result or the error."""
    position = 0
    found: tuple[Path | None, str | None] = (None, None)
    for file, statement in _statements(step.files, folder, values):
        first_line = statement.splitlines()[0]
        position = output.find(first_line, position)
        if position < 0:
            break
        position += len(first_line)
        found = (file, " ".join(statement.split())[:160])
    return found


def _statements(
    files: tuple[Path, ...], folder: Path, values: Mapping[str, str]
) -> Iterator[tuple[Path, str]]:
    for file in files:
        text = (folder / file).read_text(encoding="utf-8")
        rendered = _TEMPLATE.sub(lambda match: values[match[1]], text)
        for statement, _ in split_statements(StringIO(rendered), remove_comments=True):
            if statement.strip():
                yield file, statement.strip()
