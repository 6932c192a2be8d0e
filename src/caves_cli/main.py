"""The `caves` command: its groups of flags, and the one place where an error becomes one or two lines."""

import logging
import os
import sys
from typing import Annotated

import typer

from caves_cli import console
from caves_cli.commands import dashboard, demo, deploy, down, ingest, produce, rejected, status, up, verify
from caves_cli.errors import CavesError

app = typer.Typer(
    name="caves",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Les Caves d'Albert: a wine merchant's events, from Kafka to production tables in Snowflake.

[bold]Everything at once, on this machine:[/bold]

  caves demo

[bold]Step by step, on this machine:[/bold]

  caves up         start a broker and a local warehouse, and deploy

  caves produce    send orders and stock movements to Kafka

  caves ingest     load them into RAW, exactly once; Ctrl-C ends it

  caves status     see every layer fill

  caves verify     check that nothing was lost, doubled or misread

  caves dashboard  see sales, stock, customers and the pipeline in the browser

  caves rejected   look at what was refused, and work it off

  caves down       stop what `up` started

[bold]On your account:[/bold] caves deploy -c NAME, caves ingest -c NAME, caves verify -c NAME""",
)


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log in full.")] = False,
) -> None:
    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")


app.command(rich_help_panel="Everything at once")(demo.demo)
app.command(rich_help_panel="On this machine")(up.up)
app.command(rich_help_panel="On this machine")(down.down)
app.command(rich_help_panel="On this machine or on an account")(deploy.deploy)
app.command(rich_help_panel="On this machine or on an account")(produce.produce)
app.command(rich_help_panel="On this machine or on an account")(ingest.ingest)
app.command(rich_help_panel="On this machine or on an account")(status.status)
app.command(rich_help_panel="On this machine or on an account")(verify.verify)
app.command(rich_help_panel="On this machine or on an account")(dashboard.dashboard)
app.add_typer(rejected.app, rich_help_panel="On this machine or on an account")


def main() -> None:
    """The console entry point."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments or os.environ.get("CAVES_DEBUG") == "1"
    # Typed after the command as well as before it: a person adds it to the line that just failed.
    arguments = ["--debug"] * debug + [argument for argument in arguments if argument != "--debug"]
    try:
        app(arguments, prog_name="caves")
    except Exception as error:
        if debug:
            raise
        console.fail(_sentence(error))
        sys.exit(1)


def _sentence(error: Exception) -> str:
    # Imported here, for it takes a second that `caves --help` should not wait for.
    from snowflake.connector.errors import Error as ConnectorError

    from ingest.errors import IngestError

    if isinstance(error, CavesError | IngestError):
        return str(error)
    if isinstance(error, ConnectorError):
        return f"The warehouse refused a statement: {' '.join(str(error).split())}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}\nA fault of caves; --debug shows where."


if __name__ == "__main__":
    main()
