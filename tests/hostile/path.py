"""The real path: broker, ingestor, warehouse, procedures; and what became of every message."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Producer

from caves_snowpark import names
from ingest.ingestor import run as ingest
from ingest.observer import BatchReport, Observer
from ingest.settings import IngestSettings
from tests.engines.engine import PROCEDURES, Snowcellar
from tests.hostile.corpus import Entry
from tests.hostile.oracle import ADJUSTMENT, OPEN, ORDER, REJECTED, Number, Verdict

DUPLICATE: Final = "duplicate"
_TABLES: Final = {
    ORDER: names.STG_ORDERS,
    ADJUSTMENT: names.STG_INVENTORY_ADJUSTMENTS,
    DUPLICATE: names.DUPLICATE_EVENTS,
    REJECTED: names.REJECTED_EVENTS,
}
Place = tuple[int, int]


def produce(bootstrap: str, topic: str, entries: Iterable[Entry], partition: int = 0) -> None:
    """Send the entries, in order, to one partition."""
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 10_000_000})
    failures: list[Any] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failures.append(error)

    for entry in entries:
        while True:
            try:
                producer.produce(
                    topic,
                    value=entry.value,
                    key=entry.key,
                    headers=list(entry.headers),
                    partition=partition,
                    on_delivery=delivered,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(60)
    assert not left, f"{left} messages were not delivered"
    assert not failures, failures[0]


class Batches(Observer):
    """Keeps the reports of the batches."""

    def __init__(self) -> None:
        self.reports: list[BatchReport] = []

    def batch_committed(self, report: BatchReport) -> None:
        self.reports.append(report)


def load(bootstrap: str, topic: str, engine: Snowcellar, **changes: Any) -> list[BatchReport]:
    """Ingest all that the topic has; the reports of the batches."""
    batches = Batches()
    settings = IngestSettings(
        bootstrap,
        connection="local",
        config_file=engine.config,
        topic=topic,
        assign=True,
        until_caught_up=True,
        **changes,
    )
    ingest(settings, observer=batches)
    return batches.reports


def tick(engine: Snowcellar) -> None:
    for procedure in PROCEDURES:
        procedure.main(engine.session)


def landed(engine: Snowcellar, topic: str, partition: int = 0, start: int = 0) -> dict[Place, list[Verdict]]:
    """Where each message of a partition is, from an offset on: in one place, if all is well."""
    places: dict[Place, list[Verdict]] = {}
    condition = "SOURCE_TOPIC = ? AND SOURCE_PARTITION = ? AND SOURCE_OFFSET >= ?"
    for lands, table in _TABLES.items():
        reasons = "REASONS" if lands == REJECTED else "NULL"
        query = f"SELECT SOURCE_OFFSET, {reasons} FROM {table} WHERE {condition}"
        parameters = [topic, partition, start]
        for offset, codes in engine.session.sql(query, params=parameters).collect():
            verdict = Verdict(lands, frozenset(json.loads(codes or "[]")))
            places.setdefault((partition, int(offset)), []).append(verdict)
    return places


def wrongly_landed(
    expected: Sequence[tuple[Place, Verdict]], found: dict[Place, list[Verdict]]
) -> list[tuple[Place, Verdict, list[Verdict]]]:
    """The messages that are not in exactly the one place where they belong."""
    return [
        (place, verdict, found.get(place, []))
        for place, verdict in expected
        if len(found.get(place, [])) != 1 or (verdict.lands != OPEN and found[place] != [verdict])
    ]


@dataclass(frozen=True)
class RawRow:
    """A row of RAW_DATA.RAW_EVENTS_STREAM."""

    metadata: dict[str, Any]
    content: str | None

    @property
    def payload(self) -> bytes | None:
        """What was sent, byte for byte; of a JSON object, the text that the warehouse has for it."""
        if self.metadata["format"] == "tombstone":
            return None
        if self.metadata["format"] == "json":
            return (self.content or "").encode()
        text = str(json.loads(self.content or "null"))
        return _bytes(text, self.metadata["encoding"])

    @property
    def key(self) -> bytes | None:
        key = self.metadata.get("key")
        return None if key is None else _bytes(key, self.metadata.get("key_encoding", "utf-8"))

    @property
    def headers(self) -> tuple[tuple[str, bytes | None], ...]:
        return tuple((name, _header(value)) for name, value in self.metadata.get("headers", []))


def raw_rows(engine: Snowcellar, topic: str) -> dict[Place, RawRow]:
    """The raw rows of a topic; more than one of a place is an error."""
    query = (
        f"SELECT EVENT_METADATA, EVENT_CONTENT FROM {names.RAW_EVENTS} WHERE EVENT_METADATA:topic::TEXT = ?"
    )
    rows: dict[Place, RawRow] = {}
    for text, content in engine.session.sql(query, params=[topic]).collect():
        metadata = json.loads(text)
        place = (metadata["partition"], metadata["offset"])
        assert place not in rows, place
        rows[place] = RawRow(metadata, content)
    return rows


def same_json(one: bytes | None, other: bytes | None) -> bool:
    """Whether two JSON texts mean the same, down to how each number is written."""
    if one is None or other is None:
        return one is other
    if one.strip() == other.strip():
        return True
    texts = [
        json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=list)
        for text in (one, other)
    ]
    return bool(texts[0] == texts[1])


def _header(value: Any) -> bytes | None:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return None if value is None else str(value).encode()


def _bytes(text: str, encoding: str) -> bytes:
    return base64.b64decode(text) if encoding == "base64" else text.encode()
