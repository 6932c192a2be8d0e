"""caves deploy"""

from typing import Annotated

import typer

from caves_cli import console, project
from caves_cli.bars import bar
from caves_cli.options import ConfigFile, ConnectionName, Database, VirtualWarehouse


def deploy(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands, and run none.")] = False,
) -> None:
    """Create or update everything in the warehouse: tables, streams, procedures, tasks and views.

    Safe to repeat at any moment, with events in flight: no table or stream is ever replaced. It only runs, in
    order, what you could type yourself, prints each command, and stops at the first that fails:

      export SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT=true

      snow sql -c NAME -f deploy/010_foundation.sql -f deploy/020_raw.sql ...

      snow snowpark build, snow snowpark deploy --replace -c NAME

      snow sql -c NAME -f deploy/070_tasks.sql ...

    Examples:

      caves deploy
      caves deploy -c prod --dry-run
      caves deploy -c prod --database CAVES_TEST_DB
    """
    from caves_cli import deploy as deployment
    from caves_cli.connection import target

    chosen, folder = target(connection, config_file, database, warehouse), project.root()
    steps = deployment.steps(folder, chosen)
    if dry_run:
        for step in steps:
            console.out.print(deployment.typed(step, chosen), markup=False, soft_wrap=True)
        return

    def report(step: deployment.Step) -> None:
        console.command(deployment.typed(step, chosen))
        shown.one_more(f"Deploying {step.title}")

    with bar("Deploying", total=len(steps), begun=-1) as shown:
        deployment.deploy(chosen, folder, report)
    console.out.print(f"Deployed to {chosen.database}. `caves status -c {connection}` shows where it stands.")
