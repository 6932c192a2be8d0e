"""Deployment: an order of commands that a person could type, stopped at the first that fails."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from snowflake.connector.util_text import split_statements

from caves_cli import snow
from caves_cli.connection import Target
from caves_cli.errors import DeployFailed

# Tasks call procedures, so the code goes up before the first file of this number.
PROCEDURES_BEFORE: Final = "070"
_TEMPLATE = re.compile(r"<%\s*ctx\.env\.(\w+)\s*%>")


@dataclass(frozen=True)
class Step:
    """One call of the snow CLI."""

    title: str
    arguments: tuple[str, ...]
    files: tuple[Path, ...] = ()

    @property
    def command(self) -> str:
        return "snow " + " ".join(self.arguments)


def steps(folder: Path, connection: str) -> list[Step]:
    """The whole deployment, in order."""
    files = sorted(path.relative_to(folder) for path in (folder / "deploy").glob("[0-9]*.sql"))
    tables = tuple(file for file in files if file.name < PROCEDURES_BEFORE)
    graph = tuple(file for file in files if file.name >= PROCEDURES_BEFORE)
    return [
        _sql_step("schemas, tables and streams", connection, tables),
        # --ignore-anaconda: the procedures need no package that would have to be looked up; see
        # requirements.txt.
        Step("build of the procedures", ("snowpark", "build", "--ignore-anaconda", "-c", connection)),
        Step("procedures", ("snowpark", "deploy", "--replace", "-c", connection)),
        _sql_step("tasks and views", connection, graph),
    ]


def deploy(target: Target, folder: Path, report: Callable[[Step], None]) -> None:
    """Run every step; DeployFailed names the file and the statement that was refused."""
    # The snow CLI repeats a failing login for minutes; a login of our own says within seconds what is wrong.
    target.open().close()
    for step in steps(folder, target.name):
        report(step)
        answer = snow.run(
            _in_place(step.arguments, target),
            folder=folder,
            config_file=target.config_file,
            environment=target.environment,
        )
        if answer.code != 0:
            raise _failure(step, answer, folder, target.environment)


def _sql_step(title: str, connection: str, files: tuple[Path, ...]) -> Step:
    arguments = [part for file in files for part in ("-f", str(file))]
    return Step(title, ("sql", "-c", connection, *arguments), files)


def _in_place(arguments: tuple[str, ...], target: Target) -> list[str]:
    return [*arguments, "--database", target.database, "--warehouse", target.warehouse]


def _failure(step: Step, answer: snow.Answer, folder: Path, values: Mapping[str, str]) -> DeployFailed:
    file, statement = _refused(step, answer.output, folder, values)
    return DeployFailed(step.command, answer.reason, file, statement)


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
