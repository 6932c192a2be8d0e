"""The `caves` command: its parts, and the one place where an error becomes a line and an exit code."""

import logging
import os
import sys
import threading
from typing import Annotated, Final

import click
import typer

from caves_cli import console
from caves_cli.commands import (
    bench,
    bootstrap,
    completion,
    dashboard,
    demo,
    deploy,
    doctor,
    down,
    erase,
    ingest,
    produce,
    reference,
    rejected,
    status,
    teardown,
    up,
    verify,
)
from caves_cli.exit_codes import ExitCode, exit_code, is_lost_connection, is_of_the_connector
from caves_cli.help_pages import App

log = logging.getLogger(__name__)

app = App(
    name="caves",
    help="""Les Caves d'Albert: a wine merchant's events, from Kafka to production tables in Snowflake.

    The whole pipeline once, on this machine, checked to the cent:

      caves demo

    Step by step:

      caves up         # a broker and a local warehouse, deployed to
      caves produce    # orders and stock movements, to Kafka
      caves ingest     # into RAW, exactly once; Ctrl-C ends it
      caves status     # every layer fills
      caves verify     # nothing was lost, doubled or misread
      caves dashboard  # sales, stock, customers and the pipeline, in the browser
      caves doctor     # what is not right, and how to mend it
      caves down       # stop what `up` started

    On your Snowflake account: the same with -c NAME; for `caves up`, `caves bootstrap` and `caves deploy`.
    """,
)

_HERE: Final = "On this machine"
_ANYWHERE: Final = "On this machine or on an account"
_SHELL: Final = "For your shell"


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log in full.")] = False,
) -> None:
    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")


app.command(rich_help_panel=_HERE)(demo.demo)
app.command(rich_help_panel=_HERE)(up.up)
app.command(rich_help_panel=_HERE)(down.down)
app.command(rich_help_panel=_HERE)(bench.bench)
app.command(rich_help_panel=_ANYWHERE)(bootstrap.bootstrap)
app.command(rich_help_panel=_ANYWHERE)(deploy.deploy)
app.command(rich_help_panel=_ANYWHERE)(produce.produce)
app.command(rich_help_panel=_ANYWHERE)(ingest.ingest)
app.command(rich_help_panel=_ANYWHERE, cls=status.StatusPage)(status.status)
app.command(rich_help_panel=_ANYWHERE)(verify.verify)
app.command(rich_help_panel=_ANYWHERE)(dashboard.dashboard)
app.command(rich_help_panel=_ANYWHERE)(doctor.doctor)
app.command(rich_help_panel=_ANYWHERE)(erase.erase)
app.command(rich_help_panel=_ANYWHERE)(teardown.teardown)
app.add_typer(rejected.app, rich_help_panel=_ANYWHERE)
app.command(rich_help_panel=_SHELL)(completion.completion)
app.command(hidden=True)(reference.reference)


def main() -> None:
    """The console entry point."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments or os.environ.get("CAVES_DEBUG") == "1"
    # Typed after the command as well as before it: a person adds it to the line that just failed.
    arguments = ["--debug"] * debug + [argument for argument in arguments if argument != "--debug"]
    threading.excepthook = _in_a_thread
    sys.exit(_run(arguments, debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    root = typer.main.get_command(app)
    if instruction := os.environ.get(completion.VARIABLE):
        return completion.suggest(root, instruction)
    try:
        code = root.main(arguments, prog_name="caves", standalone_mode=False)
    except click.UsageError as error:
        console.fail(_usage(error))
        return ExitCode.USAGE
    except click.Abort:
        console.note("Nothing was changed.")
        return ExitCode.FAILED
    except Exception as error:
        if debug:
            raise
        console.fail(_sentence(error))
        return exit_code(error)
    if code == ExitCode.INTERRUPTED:
        console.note("Interrupted.")
    return int(code or ExitCode.OK)


def _in_a_thread(failed: threading.ExceptHookArgs) -> None:
    """The connector cancels a statement from a thread that nobody waits for; who ran it is told the rest."""
    if failed.exc_value is not None and is_of_the_connector(failed.exc_value):
        log.debug("a thread of the connector ended", exc_info=failed.exc_value)
    else:
        threading.__excepthook__(failed)


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "caves"
    said = error.format_message().replace(" Did you mean", ". Did you mean").replace("..", ".")
    return f"{said}\n`{path} --help` shows what there is."


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    if not is_of_the_connector(error):
        if exit_code(error) is ExitCode.FAULT:
            return f"{type(error).__name__}: {text}\nA fault of caves; --debug shows where."
        return str(error)
    if is_lost_connection(error):
        return f"The warehouse went away: {text}\nTry again when it answers (`caves doctor` looks)."
    refused = f"The warehouse refused a statement: {text}"
    if exit_code(error) is ExitCode.NOT_DEPLOYED:
        return f"{refused}\nIs everything deployed? `caves doctor` looks, `caves deploy` does it."
    return refused


if __name__ == "__main__":
    main()
