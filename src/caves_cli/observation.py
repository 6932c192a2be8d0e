"""How a running ingestor is seen: its log on stderr and, where asked for, its endpoints."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from caves_cli.errors import CavesError
from caves_cli.exit_codes import exit_code
from ingest.dead_letter_copying import copying
from ingest.endpoints import Endpoints
from ingest.errors import IngestError, InvalidSetting
from ingest.event_log import EventLog
from ingest.health import Health
from ingest.ingestor import IngestReport
from ingest.logs import LogFormat, logging_as, tell
from ingest.metrics import IngestMetrics
from ingest.observer import Observer, Observers
from ingest.settings import IngestSettings


@contextmanager
def logged(log_format: LogFormat) -> Iterator[None]:
    """The log as asked for. Whoever reads JSON reads the error that ends it there too, and nothing else."""
    with logging_as(log_format):
        try:
            yield
        except (IngestError, CavesError) as error:
            if log_format is LogFormat.TEXT:
                raise
            tell(logging.CRITICAL, "failed", str(error), reason=type(error).__name__)
            raise typer.Exit(exit_code(error)) from error


@contextmanager
def observed(settings: IngestSettings, port: int | None, host: str) -> Iterator[Observer]:
    """Who is to be told of everything. A port that is taken is refused before anything is said or started."""
    events = EventLog(settings.topic)
    if port is None:
        _tell_start(settings)
        yield events
        return
    limit = settings.held_bytes
    metrics, health = IngestMetrics(settings.topic, settings.group, limit), Health()
    with Endpoints(host, port, metrics, health) as endpoints:
        _tell_start(settings)
        url = endpoints.url
        tell(logging.INFO, "serving", f"Serving {url}/metrics, /healthz and /readyz.", url=url)
        yield Observers(health, metrics, events)


@contextmanager
def copied(settings: IngestSettings, dead_letter_topic: str | None, observer: Observer) -> Iterator[Observer]:
    """Rejected events go to a topic of their own meanwhile, if one is named."""
    if dead_letter_topic is None:
        yield observer
        return
    if dead_letter_topic == settings.topic:
        raise InvalidSetting(
            "dead_letter_topic", dead_letter_topic, "another topic than the one that is read"
        )
    place = (settings.connection, settings.config_file, settings.bootstrap, dead_letter_topic)
    with copying(*place) as copies:
        yield Observers(observer, copies)


def tell_end(report: IngestReport, topic: str) -> None:
    """What the run came to."""
    tell(
        logging.INFO,
        "stopped",
        f"Loaded {report.rows:,} events in {report.batches:,} batches; nothing is left in hand.",
        rows=report.rows,
        batches=report.batches,
        bytes=report.payload_bytes,
        seconds=round(report.seconds, 3),
        topic=topic,
    )


def _tell_start(settings: IngestSettings) -> None:
    tell(
        logging.INFO,
        "started",
        f"Loading {settings.topic} at {settings.bootstrap} through {settings.connection}; Ctrl-C ends it.",
        topic=settings.topic,
        bootstrap=settings.bootstrap,
        connection=settings.connection,
        group=settings.group,
    )
