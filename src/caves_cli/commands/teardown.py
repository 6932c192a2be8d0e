"""caves teardown"""

from typing import Annotated

import typer

from caves_cli import console
from caves_cli.options import ConfigFile, ConnectionName, Database, Environment, VirtualWarehouse


def teardown(
    connection: ConnectionName = "local",
    environment: Environment = None,
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
    account: Annotated[
        bool,
        typer.Option(
            "--account", help="Also roles, users and the warehouse of the environment; takes ACCOUNTADMIN."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would go, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove what `caves deploy` made, with all its data, and nothing that somebody else made.

    It lists first what it would drop and what it leaves, and asks. The database goes as a whole when nothing
    else is in it; else object by object, and what is not ours stays with its schema. What the role may not
    see it cannot spare: with --account that is nothing, for ACCOUNTADMIN sees everything. Roles, users and
    the warehouse stay without --account; with it those go whose comment says that we made them, unless
    something is left in the database that may need them.

    Examples:

      caves teardown -c prod --dry-run

      caves teardown -c admin --env test --account
    """
    from caves_cli import deploy, project, teardown
    from caves_cli.deployment_plan import quoted

    folder = project.root()
    chosen = deploy.chosen_target(folder, connection, environment, config_file, database, warehouse)
    with chosen.open() as session:
        role = "ACCOUNTADMIN" if account else chosen.role("ADMIN")
        session.cursor().execute(f"USE ROLE {quoted(role)}")
        plans = [teardown.of_database(session, chosen, folder)]
        if account and not plans[0].kept:
            plans.append(teardown.of_account(session, chosen, folder))
        statements = [statement for plan in plans for statement in plan.statements]
        kept = [thing for plan in plans for thing in plan.kept]
        for statement in statements:
            console.out.print(f"{statement};", markup=False, soft_wrap=True)
        if kept:
            console.note(f"Not ours, and left: {', '.join(kept)}.")
        if not statements:
            console.note(f"There is nothing of ours in {chosen.database}.")
        if dry_run or not statements:
            return
        if not yes:
            typer.confirm(f"Drop this from {session.host}, with all data in it?", abort=True, err=True)
        for statement in statements:
            session.cursor().execute(statement)
    console.note(f"Removed: {len(statements)} statements run.")
