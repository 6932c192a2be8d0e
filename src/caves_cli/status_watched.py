"""`caves status --watch`: on a terminal drawn in place, elsewhere each look below the one before."""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from caves_cli import console
from caves_cli.exit_codes import ExitCode
from caves_cli.ingest_progress import IngestProgress
from caves_cli.overview import Overview
from caves_cli.status_shown import as_json, picture
from caves_cli.watching import Sight, Watch, watch_in_lines, watch_live
from ingest.signals import stop_on_signals

Seen = tuple[Overview, IngestProgress]


def watch_status(look: Callable[[], Seen], every_seconds: float, *, in_json: bool) -> None:
    """Look until SIGINT or SIGTERM."""
    watch = Watch(look, every_seconds)
    with stop_on_signals() as stop:
        watch.first_look()
        watch.start()
        if in_json:
            watch_in_lines(watch, _write_json, stop)
        elif console.out.is_terminal:
            watch_live(watch, _draw, stop)
        else:
            watch_in_lines(watch, _write, stop)
        if not watch.stop():
            # The connector would hold the end of the process up for as long as it waits for its answer.
            sys.stdout.flush()
            os._exit(ExitCode.OK)


def _draw(sight: Sight[Seen]) -> RenderableType:
    if sight.latest is None:
        return Text()
    seen, ingest = sight.latest
    before = sight.before[0] if sight.before else seen
    head = Text(f"{seen.at:%Y-%m-%d %H:%M:%S}; Ctrl-C ends it", style="dim")
    return Group(head, Text(), picture(seen, ingest, before))


def _write(sight: Sight[Seen]) -> None:
    if trouble := sight.trouble(datetime.now().astimezone()):
        console.out.print(trouble, markup=False)
    else:
        console.out.print(_draw(sight))
        console.out.print()


def _write_json(sight: Sight[Seen]) -> None:
    if sight.lost_since is not None:
        line = {"unreachable_since": sight.lost_since.isoformat(), "reason": sight.reason}
    elif sight.latest is not None:
        line = as_json(*sight.latest)
    else:
        return
    console.out.file.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
    console.out.file.flush()
