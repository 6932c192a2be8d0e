"""caves status"""

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caves_cli import console, local_kafka
from caves_cli.exit_codes import ExitCode
from caves_cli.options import Bootstrap, ConfigFile, ConnectionName, Database, JsonToStdout, Topic

if TYPE_CHECKING:
    from caves_cli.ingest_progress import IngestProgress
    from caves_cli.overview import Overview
    from caves_cli.watching import Sight

    Seen = tuple[Overview, IngestProgress]


def status(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    topic: Topic = None,
    bootstrap: Bootstrap = None,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch", "-w", min=0.2, metavar="SECONDS", help="Look again every so often, until Ctrl-C."
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
      caves status --watch 2
      caves status -c prod --bootstrap kafka.example:9092
      caves status -c prod --json
    """
    from caves_cli.connection import target
    from caves_cli.ingest_progress import ingest_progress
    from caves_cli.looking import Looker
    from caves_cli.status_shown import as_json as document
    from caves_cli.status_shown import picture

    looker = Looker(target(connection, config_file, database))
    place = (
        local_kafka.topic(topic, config_file),
        local_kafka.known_bootstrap(bootstrap, connection, config_file),
    )

    def look() -> "Seen":
        seen = looker.look()
        return seen, ingest_progress(seen.loaded, *place)

    if watch is not None:
        _watch(look, watch, as_json=as_json)
    elif as_json:
        console.write_json(document(*look()), "-")
    else:
        console.out.print(picture(*look()))


def _watch(look: "Callable[[], Seen]", every_seconds: float, *, as_json: bool) -> None:
    from caves_cli.watching import Watch, watch_in_lines, watch_live
    from ingest.signals import stop_on_signals

    watch = Watch(look, every_seconds)
    with stop_on_signals() as stop:
        watch.first_look()
        watch.start()
        if as_json:
            watch_in_lines(watch, _write_json, stop)
        elif console.out.is_terminal:
            watch_live(watch, _draw, stop)
        else:
            watch_in_lines(watch, _write, stop)
        if not watch.stop():
            # The connector would hold the end of the process up for as long as it waits for its answer.
            sys.stdout.flush()
            os._exit(ExitCode.OK)


def _draw(sight: "Sight[Seen]") -> Any:
    from rich.console import Group
    from rich.text import Text

    from caves_cli.status_shown import picture

    if sight.latest is None:
        return Text()
    seen, ingest = sight.latest
    before = sight.before[0] if sight.before else seen
    head = Text(f"{seen.at:%Y-%m-%d %H:%M:%S}; Ctrl-C ends it", style="dim")
    return Group(head, Text(), picture(seen, ingest, before))


def _write(sight: "Sight[Seen]") -> None:
    from datetime import datetime

    if trouble := sight.trouble(datetime.now().astimezone()):
        console.out.print(trouble, markup=False)
    else:
        console.out.print(_draw(sight))
        console.out.print()


def _write_json(sight: "Sight[Seen]") -> None:
    from caves_cli.status_shown import as_json

    if sight.lost_since is not None:
        line: dict[str, Any] = {"unreachable_since": sight.lost_since.isoformat(), "reason": sight.reason}
    elif sight.latest is not None:
        line = as_json(*sight.latest)
    console.out.file.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
    console.out.file.flush()
