"""caves dashboard"""

from typing import TYPE_CHECKING, Annotated

import typer

from caves_cli import console
from caves_cli.options import ConfigFile, ConnectionName, Database, VirtualWarehouse

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from caves_cli.connection import Target


def dashboard(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8501,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open nothing.")
    ] = False,
) -> None:
    """Open the dashboard: sales, stock, customers and the state of the pipeline. Ctrl-C ends it.

    It listens on this machine only. The same app runs in Snowflake: snow streamlit deploy -c NAME

    Examples:

      caves dashboard

      caves dashboard -c prod --port 8600 --no-browser
    """
    from caves_cli.connection import target
    from caves_cli.dashboard_server import check, serve
    from dashboard import session

    chosen = target(connection, config_file, database, warehouse)
    check(port)
    session.open_with(lambda: _open(chosen))
    address = f"http://127.0.0.1:{port}"
    console.note(f"The dashboard of connection {connection!r} is at {address} ; Ctrl-C ends it.")
    serve(port, open_browser=not no_browser)


def _open(chosen: "Target") -> "Session":
    from snowflake.snowpark import Session

    from dashboard.session import Unreachable
    from ingest.errors import IngestError

    try:
        session: Session = Session.builder.configs({"connection": chosen.open()}).create()
    except IngestError as error:
        raise Unreachable(str(error)) from error
    return session
