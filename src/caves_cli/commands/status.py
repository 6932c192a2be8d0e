"""caves status"""

from typing import Annotated, Any, Final

import click
import typer

from caves_cli import console, local_kafka
from caves_cli.help_pages import HelpPage
from caves_cli.options import Bootstrap, ConfigFile, ConnectionName, Database, JsonToStdout, Topic

_WATCH_SECONDS: Final = 2.0


class StatusPage(HelpPage):
    """Lets --watch stand without its value, which Click can and Typer does not hand on."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for option in self.params:
            if isinstance(option, click.Option) and option.name == "watch":
                option.flag_value = _WATCH_SECONDS
                option._flag_needs_value = True


def status(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    topic: Topic = None,
    bootstrap: Bootstrap = None,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch",
            "-w",
            min=0.2,
            metavar="[SECONDS]",
            help=f"Look again every so often until Ctrl-C; every {_WATCH_SECONDS:g} seconds if not told.",
        ),
    ] = None,
    as_json: JsonToStdout = False,
) -> None:
    """Show where the pipeline stands: alerts, rows by layer, tasks and what waits for them, the lag.

    With --watch it is drawn again in place until Ctrl-C, which ends it with exit code 0. A warehouse that
    goes away is waited for, and the view says since when. Not on a terminal each look is written below the
    one before; with --json each is one line. The lag is known where a broker is: that of `caves up`, or
    --bootstrap.

    Examples:
      caves status
      caves status --watch
      caves status --watch 10 -c prod
      caves status -c prod --bootstrap kafka.example:9092
      caves status -c prod --json
    """
    from caves_cli.connection import target
    from caves_cli.ingest_progress import ingest_progress
    from caves_cli.looking import Looker
    from caves_cli.status_shown import as_json as document
    from caves_cli.status_shown import picture
    from caves_cli.status_watched import Seen, watch_status

    looker = Looker(target(connection, config_file, database))
    place = (
        local_kafka.topic(topic, config_file),
        local_kafka.known_bootstrap(bootstrap, connection, config_file),
    )

    def look() -> Seen:
        seen = looker.look()
        return seen, ingest_progress(seen.loaded, *place)

    if watch is not None:
        watch_status(look, watch, in_json=as_json)
    elif as_json:
        console.write_json(document(*look()), "-")
    else:
        console.out.print(picture(*look()))
