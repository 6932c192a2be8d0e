"""caves deploy"""

from typing import TYPE_CHECKING, Annotated

import typer

from caves_cli import console, project
from caves_cli.bars import bar
from caves_cli.options import ConfigFile, ConnectionName, Database, Environment, VirtualWarehouse

if TYPE_CHECKING:
    from pathlib import Path

    from caves_cli.connection import Target


def deploy(
    connection: ConnectionName = "local",
    environment: Environment = None,
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print commands, statements and what would change, and run none."),
    ] = False,
) -> None:
    """Create or update everything in the warehouse: tables, streams, procedures, tasks and views.

    Safe to repeat at any moment, with events in flight: no table or stream is ever replaced, and no column
    dropped. The account must have been prepared once: `caves bootstrap`. It only runs, in order, what you
    could type yourself, prints each command, and stops at the first that fails; then mend the cause and type
    the same command again:

      export SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT=true

      snow sql -c NAME -f deploy/010_foundation.sql -f deploy/015_access.sql ...

      snow snowpark build, snow snowpark deploy --replace -c NAME --role CAVES_ADMIN

      snow sql -c NAME -f deploy/070_tasks.sql ...

    Examples:

      caves deploy
      caves deploy -c NAME --env prod --dry-run
      caves deploy -c NAME --env test
    """
    from caves_cli import deploy as deployment

    folder = project.root()
    chosen = deployment.chosen_target(folder, connection, environment, config_file, database, warehouse)
    if dry_run:
        _show(chosen, folder)
        return

    def report(step: deployment.Step) -> None:
        console.command(deployment.typed(step, chosen))
        shown.one_more(f"Deploying {step.title}")

    with bar("Deploying", total=len(deployment.steps(folder, chosen)), begun=-1) as shown:
        deployment.deploy(chosen, folder, report)
    console.out.print(f"Deployed to {chosen.database}. `caves status -c {connection}` shows where it stands.")


def _show(chosen: "Target", folder: "Path") -> None:
    """All of it as SQL: what is no statement is a comment, so that the output can be kept and run."""
    from caves_cli import deploy as deployment
    from caves_cli import deployment_plan, sql_files
    from ingest.errors import IngestError

    values = deployment.values(folder, chosen)
    for step in deployment.steps(folder, chosen):
        _line(f"-- $ {deployment.typed(step, chosen)}")
        for file, statement in sql_files.statements(folder, step.files, values):
            _line(f"-- {file}\n{statement};")
    _line(f"\n-- What that would change in {chosen.database}:")
    try:
        session = chosen.open()
    except IngestError as error:
        _line(f"-- not known: {' '.join(str(error).split())}")
        return
    statements = sql_files.statements(folder, deployment.sql_files_of(folder), values)
    with session:
        changes = deployment_plan.plan(session, chosen.database, statements, deployment.procedures(folder))
        for line in deployment_plan.summary(changes):
            _line(f"-- {line}")


def _line(text: str) -> None:
    console.out.print(text, markup=False, highlight=False, soft_wrap=True)
