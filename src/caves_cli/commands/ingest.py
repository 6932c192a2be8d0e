"""caves ingest"""

from typing import Annotated

import typer

from caves_cli import local_kafka
from caves_cli.options import Bootstrap, ConfigFile, ConnectionName, Topic
from ingest.logs import LogFormat
from ingest.positions import OnOffsetReset


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
    group: Annotated[
        str | None,
        typer.Option(
            envvar="CAVES_GROUP",
            metavar="NAME",
            help="Consumer group: its members share the partitions. Default: caves-ingest.",
        ),
    ] = None,
    batch_seconds: Annotated[
        float,
        typer.Option(
            min=0.05,
            metavar="SECONDS",
            help="Load what is in hand at least this often; latency against batch size.",
        ),
    ] = 2.0,
    buffer_mb: Annotated[
        int,
        typer.Option(
            min=4,
            max=65536,
            metavar="N",
            help="Megabytes of messages held at once, however slow the warehouse is.",
        ),
    ] = 64,
    on_offset_reset: Annotated[
        OnOffsetReset,
        typer.Option(
            help="When the stored offset is not in the log (topic made anew, retention): stop, read all that "
            "is there, or only what comes now. What is passed over is recorded in KAFKA_OFFSET_GAPS."
        ),
    ] = OnOffsetReset.FAIL,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            envvar="CAVES_METRICS_PORT",
            metavar="PORT",
            min=0,
            max=65535,
            help="Serve /metrics for Prometheus, /healthz and /readyz on this port; 0 picks a free one. "
            "Default: not served.",
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(envvar="CAVES_METRICS_HOST", metavar="ADDRESS", help="Address to serve them on.")
    ] = "127.0.0.1",
    dead_letter_topic: Annotated[
        str | None,
        typer.Option(
            envvar="CAVES_DEAD_LETTER_TOPIC",
            metavar="NAME",
            help="Also copy what the warehouse rejects to this topic. Default: not copied.",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(envvar="CAVES_LOG_FORMAT", help="A line an event, for a person or for a machine."),
    ] = LogFormat.TEXT,
) -> None:
    """Load events from Kafka into RAW, each exactly once.

    Rows and the next offset are written in one transaction of the warehouse, so a crash at any moment neither
    loses nor doubles an event. Ctrl-C or SIGTERM finishes the batch in hand. What is not valid JSON is loaded
    too.

    Examples:

      caves ingest

      caves ingest -c prod --bootstrap kafka.example:9092

      caves ingest --until-caught-up

      caves ingest -c prod --metrics-port 9464 --log-format json
    """
    from caves_cli.observation import copied, logged, observed, tell_end
    from ingest.connection_files import load_connection
    from ingest.ingestor import run
    from ingest.settings import DEFAULT_GROUP, IngestSettings
    from ingest.signals import stop_on_signals

    with logged(log_format):
        settings = IngestSettings(
            bootstrap=local_kafka.bootstrap(bootstrap),
            connection=connection,
            config_file=config_file,
            topic=local_kafka.topic(topic),
            group=group or DEFAULT_GROUP,
            until_caught_up=until_caught_up,
            assign=assign,
            batch_seconds=batch_seconds,
            buffer_bytes=buffer_mb * 1024 * 1024,
            on_offset_reset=on_offset_reset,
        )
        # Before anything is said: a name that was mistyped is the commonest fault.
        load_connection(connection, config_file)
        with (
            observed(settings, metrics_port, metrics_host) as observer,
            copied(settings, dead_letter_topic, observer) as observers,
            stop_on_signals() as stop,
        ):
            report = run(settings, stop, observers)
        tell_end(report, settings.topic)
