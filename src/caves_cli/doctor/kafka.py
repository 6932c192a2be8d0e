"""Broker and topic, and whether loading can go on where the warehouse says."""

from collections.abc import Iterator, Sequence

from caves_cli.doctor.finding import Finding, ok, problem, skipped, warning
from caves_cli.kafka_logs import KafkaLog, kafka_logs
from caves_cli.overview import LoadedUpTo
from ingest.errors import BrokerUnreachable, TopicMissing


def checks(
    bootstrap: str | None, topic: str, connection: str, loaded: Sequence[LoadedUpTo] | None
) -> Iterator[Finding]:
    if bootstrap is None:
        yield skipped("Broker", "none is named; --bootstrap HOST:PORT looks at it")
        return
    offsets = {place.partition: place.next_offset for place in loaded or () if place.topic == topic}
    try:
        logs = kafka_logs(bootstrap, topic, offsets)
    except BrokerUnreachable as error:
        yield problem("Broker", str(error), "caves up" if connection == "local" else f"nc -vz {bootstrap}")
        return
    except TopicMissing as error:
        yield ok("Broker", f"answers at {bootstrap}")
        yield warning("Topic", str(error), f"caves produce --bootstrap {bootstrap} --topic {topic}")
        return
    yield ok("Broker", f"answers at {bootstrap}")
    yield ok("Topic", f"{topic}, {len(logs)} partitions")
    if loaded is None:
        yield skipped("Stored offsets", "the warehouse could not be asked")
    else:
        yield stored_offsets(logs, topic, f"caves ingest -c {connection}")


def stored_offsets(logs: dict[int, KafkaLog], topic: str, ingest: str) -> Finding:
    check = "Stored offsets"
    outside = {partition: log for partition, log in logs.items() if not log.has_next_offset}
    if outside:
        told = "; ".join(
            f"partition {partition} has {log.low} to {log.high}, the warehouse asks for {log.next_offset}"
            for partition, log in outside.items()
        )
        mend = f"{ingest} --on-offset-reset earliest (see docs/reliability.md)"
        return problem(check, f"outside the log of {topic}: {told}", mend)
    return ok(check, f"all inside the log, {sum(log.behind for log in logs.values()):,} messages behind")
