"""caves erase"""

from typing import Annotated

import typer

from caves_cli import console
from caves_cli.bars import bar
from caves_cli.options import ConfigFile, ConnectionName, Database


def erase(
    customer: Annotated[int, typer.Argument(metavar="CUSTOMER_ID", help="The customer's number.")],
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase what tells of a customer, everywhere, and see that it does not come back.

    Orders stay, under a number that nobody can trace, so that revenue, orders and customers count as before.
    Late, repeated and replayed events of the customer are made nameless as they come. It cannot be undone.
    What remains elsewhere, on Kafka and in Time Travel, and for how long: docs/data-life.md.

    Examples:

      caves erase 501

      caves erase 501 -c prod --yes
    """
    from caves_cli import erasing
    from caves_cli.connection import target

    with target(connection, config_file, database).open() as session:
        found = erasing.preview(session, customer)
        console.table(
            f"Customer {customer}", ("table", "rows"), [(name, f"{rows:,}") for name, rows in found.items()]
        )
        if not yes and any(found.values()):
            typer.confirm("Erase the customer from them? It cannot be undone.", abort=True, err=True)
        with bar("Erasing"):
            changed = erasing.erase(session, customer)
    console.note(f"Erased: {sum(changed.values()):,} rows and files were changed.")
