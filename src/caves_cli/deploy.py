"""Deployment: an order of commands that a person could type, stopped at the first that fails."""

import shlex
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml
from snowflake.connector.errors import ProgrammingError

from caves_cli import deployment_plan, snow, sql_files
from caves_cli.connection import Target
from caves_cli.connection import target as target_of
from caves_cli.errors import DeployFailed, NotBootstrapped, WouldDropColumns
from caves_cli.fingerprint import fingerprint
from ingest.connections import reason_of

# Tasks call procedures, so the code goes up before the first file of this number.
PROCEDURES_BEFORE: Final = "070"
# What takes ACCOUNTADMIN. The users of services stand beside it and are made by hand: they need keys.
ACCOUNT_FILES: Final = (Path("deploy/account/010_account.sql"), Path("deploy/account/015_alerts.sql"))

Report = Callable[["Step"], None]
"""Called with each step before it runs."""


@dataclass(frozen=True)
class Step:
    """One call of the snow CLI."""

    title: str
    arguments: tuple[str, ...]
    files: tuple[Path, ...] = ()


def chosen_target(
    folder: Path,
    connection: str,
    environment: str | None,
    config_file: Path | None,
    database: str | None,
    warehouse: str | None,
) -> Target:
    """The target of a connection in an environment: flags win over the environment's variables."""
    variables = sql_files.variables(folder, environment)
    found = target_of(connection, config_file, database, warehouse, variables)
    return replace(found, environment_name=environment)


def bootstrap_steps(folder: Path, target: Target) -> list[Step]:
    """What an administrator of the account does once for an environment."""
    config, connection = _given(folder, target)
    sql = (*config, "sql", *connection, *_each(ACCOUNT_FILES))
    return [Step("roles, warehouse and database", sql, ACCOUNT_FILES)]


def steps(folder: Path, target: Target) -> list[Step]:
    """The whole deployment, in order."""
    config, connection = _given(folder, target)
    files = sql_files_of(folder)
    tables = tuple(file for file in files if file.name < PROCEDURES_BEFORE)
    graph = tuple(file for file in files if file.name >= PROCEDURES_BEFORE)
    # The SQL files choose their role themselves; these two have no way to.
    as_owner = ("--role", target.role("ADMIN"))
    return [
        Step("schemas, tables and streams", (*config, "sql", *connection, *_each(tables)), tables),
        # --ignore-anaconda: the procedures need no package that would have to be looked up; see
        # requirements.txt.
        Step("build of the procedures", (*config, "snowpark", "build", "--ignore-anaconda", *connection)),
        Step("procedures", (*config, "snowpark", "deploy", "--replace", *connection, *as_owner)),
        Step("tasks and views", (*config, "sql", *connection, *_each(graph)), graph),
    ]


def sql_files_of(folder: Path) -> tuple[Path, ...]:
    """The numbered files of deploy/, in the order in which they run."""
    return tuple(sorted(path.relative_to(folder) for path in (folder / "deploy").glob("[0-9]*.sql")))


def procedures(folder: Path) -> list[str]:
    """SCHEMA.NAME of each procedure in snowflake.yml."""
    entities = yaml.safe_load((folder / "snowflake.yml").read_text(encoding="utf-8"))["entities"].values()
    named = [entity["identifier"] for entity in entities if entity["type"] == "procedure"]
    return [f"{identifier['schema']}.{identifier['name']}" for identifier in named]


def typed(step: Step, target: Target) -> str:
    """The step as a person would type it, in the project's folder."""
    settings = [f"{key}={value}" for key, value in target.settings.items()]
    return shlex.join([*settings, "snow", *step.arguments])


def bootstrap(target: Target, folder: Path, report: Report, run: snow.Run | None = None) -> None:
    """Make roles, warehouse and database, as ACCOUNTADMIN; `run`: in which session of the snow CLI."""
    target.open().close()
    _run(bootstrap_steps(folder, target), target, folder, values(folder, target), report, run)


def deploy(target: Target, folder: Path, report: Report, run: snow.Run | None = None) -> None:
    """Run every step; DeployFailed names the file and the statement that was refused."""
    given = values(folder, target)
    _require_sound(target, folder, given)
    _run(steps(folder, target), target, folder, given, report, run)


def values(folder: Path, target: Target) -> dict[str, str]:
    """Every variable of deploy/ and snowflake.yml, with its value for this target."""
    return {**sql_files.defaults(folder), **target.environment, "CAVES_CODE": fingerprint(folder)}


def _require_sound(target: Target, folder: Path, given: Mapping[str, str]) -> None:
    # The snow CLI repeats a failing login for minutes; a login of our own says within seconds what is wrong.
    with target.open() as session:
        role = target.role("ADMIN")
        try:
            session.cursor().execute(f"USE ROLE {deployment_plan.quoted(role)}")
        except ProgrammingError as error:
            named = ("--env", target.environment_name) if target.environment_name else ()
            command = shlex.join(["caves", "bootstrap", "-c", target.name, *named])
            raise NotBootstrapped(role, reason_of(error), command) from error
        statements = sql_files.statements(folder, sql_files_of(folder), given)
        lost = deployment_plan.lost_columns(session, target.database, statements)
    if lost:
        raise WouldDropColumns(lost)


def _run(
    planned: list[Step],
    target: Target,
    folder: Path,
    given: Mapping[str, str],
    report: Report,
    run: snow.Run | None,
) -> None:
    with nullcontext(run) if run else snow.session(config_file=target.config_file is not None) as run_in:
        for step in planned:
            report(step)
            answer = run_in(step.arguments, folder=folder, environment=given)
            if answer.code != 0:
                file, statement = _refused(step, answer.output, folder, given)
                raise DeployFailed(typed(step, target), answer.reason, file, statement)


def _given(folder: Path, target: Target) -> tuple[tuple[str, ...], tuple[str, ...]]:
    config = ("--config-file", _from(folder, target.config_file)) if target.config_file else ()
    return config, ("-c", target.name, *target.flags)


def _from(folder: Path, path: Path) -> str:
    # The snow CLI runs in the project's folder, wherever `caves` was called.
    absolute = path.absolute()
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


def _each(files: tuple[Path, ...]) -> list[str]:
    return [part for file in files for part in ("-f", str(file))]


def _refused(
    step: Step, output: str, folder: Path, given: Mapping[str, str]
) -> tuple[Path | None, str | None]:
    """The last statement that the CLI printed: it prints each one, and then its result or the error."""
    position = 0
    found: tuple[Path | None, str | None] = (None, None)
    for file, statement in sql_files.statements(folder, step.files, given):
        first_line = statement.splitlines()[0]
        position = output.find(first_line, position)
        if position < 0:
            break
        position += len(first_line)
        found = (file, " ".join(statement.split())[:160])
    return found
