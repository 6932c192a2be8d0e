"""caves rejected: look at what the contract refused, and work it off."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caves_cli import console
from caves_cli.bars import bar
from caves_cli.help_pages import App
from caves_cli.options import Bootstrap, ConfigFile, ConnectionName, Database
from caves_cli.suggestions import reason_codes

if TYPE_CHECKING:
    from caves_snowpark.rejected_filter import RejectedFilter

app = App(
    name="rejected",
    help="""List, explain and work off the events that the contract refused.

An event is named by its place on Kafka: topic/partition/offset. STAGING.REPLAY_LOG keeps what was done.""",
)


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Coordinate = Annotated[
    str, typer.Argument(metavar="COORDINATE", help="Where it stands: topic/partition/offset.")
]
SomeCoordinate = Annotated[
    str | None, typer.Argument(metavar="[COORDINATE]", help="One event: topic/partition/offset.")
]
Reason = Annotated[
    str | None, typer.Option(metavar="CODE", autocompletion=reason_codes, help="Only those with this reason.")
]
Partition = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Only those of this Kafka partition.")
]
SourceTopic = Annotated[
    str | None, typer.Option("--topic", metavar="NAME", help="Only those of this Kafka topic.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only those rejected from then on: 2025-07-01T10:00+02:00."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only those rejected before.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="At most so many, the newest.")]
Output = Annotated[Format, typer.Option("--format", help="For a person, or for a program.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Why: the audit trail shows it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    reason: Reason = None,
    topic: SourceTopic = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 20,
    all_: Annotated[bool, typer.Option("--all", help="Those taken back or dismissed, too.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """The rejected events that wait, newest first.

    Examples:

      caves rejected list

      caves rejected list --reason INVALID_QUANTITY --since 2025-07-01T00:00+02:00

      caves rejected list -c prod --limit 1000 --format csv > rejected.csv
    """
    from caves_cli import rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(None, reason, topic, partition, since, until)
    with target(connection, config_file, database).open() as session:
        found = rejections.events(session, chosen, limit, settled_too=all_)
        waiting = sum(rejections.waiting_by_reasons(session, chosen).values())
    rejections_shown.events(found, waiting, output)


@app.command()
def show(
    coordinate: Coordinate,
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    full: Annotated[bool, typer.Option("--full", help="All of a long payload.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """One rejected event: its payload, what each reason means, what was done with it, and the way out.

    Examples:

      caves rejected show sales_events/2/41

      caves rejected explain sales_events/2/41 -c prod
    """
    from caves_cli import rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(coordinate)
    with target(connection, config_file, database).open() as session:
        event = rejections.event(session, coordinate, chosen)
        decisions = rejections.history(session, chosen, limit=10)
    if output is Format.TABLE:
        rejections_shown.event(event, decisions, full=full)
    else:
        rejections_shown.events([event], 1, output)


app.command("explain", hidden=True)(show)


@app.command()
def replay(
    coordinate: SomeCoordinate = None,
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    reason: Reason = None,
    topic: SourceTopic = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be tried, and end.")] = False,
    yes: Yes = False,
) -> None:
    """Take back the events that keep today's contract, each exactly once; the others go on waiting.

    For use after the contract was mended and deployed.

    Examples:

      caves rejected replay --reason UNKNOWN_EVENT_TYPE --dry-run

      caves rejected replay --reason UNKNOWN_EVENT_TYPE

      caves rejected replay sales_events/2/41 --yes
    """
    from caves_cli import rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(coordinate, reason, topic, partition, since, until)
    with target(connection, config_file, database).open() as session:
        waiting = rejections.waiting_by_reasons(session, chosen)
        rejections_shown.waiting(waiting)
        if dry_run or not waiting:
            return
        _ask("Take back those of them that keep today's contract?", yes)
        with bar(f"Taking back {sum(waiting.values()):,} events"):
            counts = rejections.replay(session, chosen)
    console.note(
        f"Took back {counts['replayed']:,} of {counts['read']:,}: {counts['orders']:,} orders and"
        f" {counts['adjustments']:,} adjustments staged, {counts['duplicates']:,} were there already."
        f" {counts['rejected']:,} still break the contract and go on waiting."
    )


@app.command()
def correct(
    coordinate: Coordinate,
    note: Note,
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Give a field another value; may be given several times."
        ),
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="Leave a field out; may be given several times.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The whole corrected event as JSON.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Stage a corrected event in place of a rejected one.

    The rejected event stays as it came; the correction and its note are kept beside it. A correction that
    breaks the contract too is refused with its reasons.

    Examples:

      caves rejected correct sales_events/2/41 --set quantity=3 --note "typed with a letter O"

      caves rejected correct sales_events/2/41 --file event.json --note "from the shop's own log"
    """
    from caves_cli import corrections, rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(coordinate)
    with target(connection, config_file, database).open() as session:
        event = rejections.event(session, coordinate, chosen)
        corrected = corrections.corrected(event, changes or [], unset or [], file)
        rejections_shown.changes(event, json.loads(corrected))
        _ask("Stage the corrected event?", yes)
        with bar("Staging the correction"):
            counts = rejections.correct(session, coordinate, corrected, note)
    outcome = "it was there already: a duplicate" if counts["duplicates"] else "it is staged"
    console.note(f"Corrected {coordinate}; {outcome}.")


@app.command()
def dismiss(
    note: Note,
    coordinate: SomeCoordinate = None,
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    reason: Reason = None,
    topic: SourceTopic = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
) -> None:
    """Decide that rejected events are of no value: they stay where they are, and no replay takes them.

    Examples:

      caves rejected dismiss sales_events/2/41 --note "a test of the new till"

      caves rejected dismiss --reason NOT_JSON_OBJECT --until 2025-07-01T00:00Z --note "probe, ticket 4711"
    """
    from caves_cli import rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(coordinate, reason, topic, partition, since, until)
    if not chosen:
        raise typer.BadParameter("name an event or give a filter: everything at once is not dismissed.")
    with target(connection, config_file, database).open() as session:
        if coordinate:
            rejections.event(session, coordinate, chosen)
        waiting = rejections.waiting_by_reasons(session, chosen)
        rejections_shown.waiting(waiting)
        if not waiting:
            return
        _ask("Dismiss them?", yes)
        with bar(f"Dismissing {sum(waiting.values()):,} events"):
            counts = rejections.dismiss(session, chosen, note)
    console.note(f"Dismissed {counts['dismissed']:,}.")


@app.command()
def history(
    coordinate: SomeCoordinate = None,
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    limit: Limit = 20,
    output: Output = Format.TABLE,
) -> None:
    """What was done with rejected events: by whom, when and why; newest first.

    Examples:

      caves rejected history

      caves rejected history sales_events/2/41 --format json
    """
    from caves_cli import rejections, rejections_shown
    from caves_cli.connection import target

    chosen = _filter(coordinate)
    with target(connection, config_file, database).open() as session:
        found = rejections.history(session, chosen, limit)
    rejections_shown.history(found, output)


@app.command()
def publish(
    dead_letter_topic: Annotated[
        str, typer.Option("--topic", metavar="NAME", help="Kafka topic to copy to; made if it is not there.")
    ],
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    bootstrap: Bootstrap = None,
) -> None:
    """Copy the rejected events that are not there yet to a dead-letter topic of Kafka.

    The bytes are those that came, with headers that say from where and why. How far it has come is kept in
    STAGING.DEAD_LETTER_OFFSETS; a crash between the two may copy an event again, never leave one out.

    Examples:

      caves rejected publish --topic sales_events.rejected
    """
    from caves_cli import local_kafka
    from ingest.dead_letters import dead_letters
    from ingest.topics import create_topic

    address = local_kafka.bootstrap(bootstrap)
    with dead_letters(connection, config_file, address, dead_letter_topic) as letters:
        create_topic(address, dead_letter_topic, partitions=1)
        with bar(f"Copying to {dead_letter_topic}"):
            copied = letters.publish_new()
    console.note(f"Copied {copied:,} rejected events to {dead_letter_topic}.")


def _filter(
    coordinate: str | None = None,
    reason: str | None = None,
    topic: str | None = None,
    partition: int | None = None,
    since: str | None = None,
    until: str | None = None,
) -> "RejectedFilter":
    from caves_snowpark.rejected_filter import (
        FilterRefusedError,
        RejectedFilter,
        coordinate_filter,
        utc_time,
    )

    limits = (reason, topic, partition, since, until)
    try:
        if coordinate is not None:
            if any(limit is not None for limit in limits):
                raise typer.BadParameter("give coordinates or a filter, not both.")
            return coordinate_filter(coordinate)
        return RejectedFilter(
            reason=reason.strip().upper() if reason else None,
            topic=topic,
            partition=partition,
            since=utc_time(since) if since else None,
            until=utc_time(until) if until else None,
        )
    except FilterRefusedError as error:
        raise typer.BadParameter(error.what) from error


def _ask(question: str, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True, err=True)
