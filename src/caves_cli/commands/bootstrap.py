"""caves bootstrap"""

from caves_cli import console
from caves_cli.options import ConfigFile, ConnectionName, Database, Environment, VirtualWarehouse


def bootstrap(
    connection: ConnectionName = "local",
    environment: Environment = None,
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
) -> None:
    """Prepare an account for an environment, as ACCOUNTADMIN: roles, warehouse and database.

    Once; everything after it is done by the role CAVES_ADMIN, which it makes. Safe to repeat. It runs what
    you could type yourself, and what an administrator may want to read first, two short files:

      snow sql -c NAME -f deploy/account/010_account.sql -f deploy/account/015_alerts.sql

    `caves up` does it by itself on this machine.

    Examples:

      caves bootstrap -c admin

      caves bootstrap -c admin --env test
    """
    from caves_cli import deploy as deployment
    from caves_cli import project

    folder = project.root()
    chosen = deployment.chosen_target(folder, connection, environment, config_file, database, warehouse)
    deployment.bootstrap(chosen, folder, lambda step: console.command(deployment.typed(step, chosen)))
    console.out.print(
        f"{chosen.database}, {chosen.warehouse} and the roles {chosen.role('*')} are there. Next, with a"
        f" connection that may use {chosen.role('ADMIN')}: `caves deploy`."
    )
