"""caves ingest"""

from typing import TYPE_CHECKING, Annotated

import typer

from caves_cli import console, local_kafka
from caves_cli.options import Bootstrap, ConfigFile, ConnectionName, Topic

if TYPE_CHECKING:
    from ingest.observer import BatchReport


def ingest(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    topic: Topic = None,
    bootstrap: Bootstrap = None,
    until_caught_up: Annotated[
        bool,
        typer.Option("--until-caught-up", help="Leave when everything that is in the topic has been loaded."),
    ] = False,
    assign: Annotated[
        bool,
        typer.Option(
            "--assign", help="Take all partitions at once, without a consumer group: only one may run."
        ),
    ] = False,
    batch_seconds: Annotated[
        float,
        typer.Option(min=0.05, help="Load what is in hand at least this often; latency against batch size."),
    ] = 2.0,
) -> None:
    """Load events from Kafka into RAW, each exactly once.

    Rows and the next offset are written in one transaction of the warehouse, so a crash at any moment neither
    loses nor doubles an event. Ctrl-C or SIGTERM finishes the batch in hand. What is not valid JSON is loaded
    too.

    Examples:

      caves ingest

      caves ingest -c prod --bootstrap kafka.example:9092

      caves ingest --until-caught-up
    """
    from ingest.connections import load_connection
    from ingest.ingestor import run
    from ingest.settings import IngestSettings
    from ingest.signals import stop_on_signals

    settings = IngestSettings(
        bootstrap=local_kafka.bootstrap(bootstrap),
        connection=connection,
        config_file=config_file,
        topic=local_kafka.topic(topic),
        until_caught_up=until_caught_up,
        assign=assign,
        batch_seconds=batch_seconds,
    )
    # Before anything is said: a name that was mistyped is the commonest fault.
    load_connection(connection, config_file)
    console.note(
        f"Loading {settings.topic} at {settings.bootstrap} into RAW through connection {connection}."
        " Ctrl-C ends it."
    )
    with stop_on_signals() as stop:
        report = run(settings, stop, _tell)
    console.note(f"Loaded {report.rows:,} events in {report.batches:,} batches; nothing is left in hand.")


def _tell(batch: "BatchReport") -> None:
    console.note(f"  {batch.rows:,} events in {batch.seconds:.2f} s, {batch.total_rows:,} in all")
