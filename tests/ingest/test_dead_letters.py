"""Copies of rejected events: nothing is left out, whatever the broker refuses and whenever it ends."""

import json
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from ingest.dead_letters import PAYLOAD, DeadLetters, letter_of
from ingest.errors import DeadLettersRefused, IngestError, WarehouseUnreachable
from ingest.session import Result


def row(offset: int, content: str | None = "{}", partition: int = 0, **metadata: Any) -> tuple[Any, ...]:
    """A row of REJECTED_EVENTS as the query gives it."""
    facts = {"format": "json", "encoding": "utf-8", "key": "1001", **metadata}
    rejected_at = datetime(2025, 7, 1, 12)
    return ("sales_events", partition, offset, '["NOT_JSON_OBJECT"]', rejected_at, json.dumps(facts), content)


class Warehouse:
    """Rejected rows, the watermarks, and what breaks next."""

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self.rejected = list(rows)
        self.marks: dict[int, int] = {}
        self.failures: list[Exception | None] = []

    def run(self, statement: str, parameters: Any = None) -> Result:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        if statement.lstrip().startswith("SELECT"):
            return Result([r for r in self.rejected if r[2] >= self.marks.get(r[1], 0)][:3], 0)
        _, _, partition, end = parameters
        self.marks[partition] = max(end, self.marks.get(partition, 0))
        return Result([], 1)

    def drop(self) -> None: ...


class Broker:
    """Acknowledges on flush; `verdict` says what it has against a message."""

    def __init__(self, verdict: Callable[[Any], int | None] = lambda _: None) -> None:
        self.verdict = verdict
        self.sent: list[tuple[bytes | None, dict[str, bytes | None]]] = []
        self.queue: list[tuple[Any, Any, Any]] = []
        self.made = 0

    def make(self) -> "Broker":
        self.made += 1
        return self

    def produce(self, _: str, value: Any, __: Any, *, headers: Any, on_delivery: Any) -> None:
        self.queue.append((value, dict(headers), on_delivery))

    def poll(self, _: float) -> None: ...

    def purge(self) -> None:
        self.queue.clear()

    def flush(self, _: float) -> int:
        queue, self.queue = self.queue, []
        for value, headers, on_delivery in queue:
            code = self.verdict(value)
            if code is None:
                self.sent.append((value, headers))
            on_delivery(None if code is None else KafkaError(code), None)
        return 0

    @property
    def offsets(self) -> list[int]:
        return [int(headers["caves.source.offset"] or b"-1") for _, headers in self.sent]


def letters(warehouse: Warehouse, broker: Any, stop: Event | None = None) -> DeadLetters:
    session: Any = warehouse
    return DeadLetters(session, "dead", broker.make, stop)


def test_every_page_is_copied_and_the_watermark_follows() -> None:
    warehouse, broker = Warehouse(*(row(n) for n in range(7)), row(3, partition=1)), Broker()
    assert letters(warehouse, broker).publish_new() == 8
    assert (broker.offsets, warehouse.marks, broker.made) == ([*range(7), 3], {0: 7, 1: 4}, 1)


def test_a_copy_that_the_broker_refuses_leaves_the_watermark_and_is_sent_again() -> None:
    """PITFALL 26."""
    warehouse = Warehouse(*(row(n, str(n)) for n in range(5)))
    broker = Broker(lambda value: KafkaError._MSG_TIMED_OUT if value == b"4" else None)
    with pytest.raises(DeadLettersRefused) as refused:
        letters(warehouse, broker).publish_new()
    assert (refused.value.letters, refused.value.transient) == (1, True)
    assert warehouse.marks == {0: 3}
    broker.verdict = lambda _: None
    assert letters(warehouse, broker).publish_new() == 2
    assert warehouse.marks == {0: 5}
    assert sorted(set(broker.offsets)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("at", range(4))
def test_a_crash_at_any_statement_leaves_nothing_out(at: int) -> None:
    warehouse, broker = Warehouse(*(row(n) for n in range(4))), Broker()
    warehouse.failures = [*[None] * at, WarehouseUnreachable("here", "cut")]
    with pytest.raises(IngestError):
        letters(warehouse, broker).publish_new()
    letters(warehouse, broker).publish_new()
    assert sorted(set(broker.offsets)) == [0, 1, 2, 3]
    assert warehouse.marks == {0: 4}


def test_what_is_too_large_for_the_broker_goes_without_its_payload_and_stalls_nothing() -> None:
    warehouse = Warehouse(row(0), row(1, "x" * 99, headers=[["h", "y" * 99]]), row(2))
    broker = Broker(lambda value: KafkaError.MSG_SIZE_TOO_LARGE if len(value or b"") > 50 else None)
    assert letters(warehouse, broker).publish_new() == 3
    [(value, headers)] = [sent for sent in broker.sent if PAYLOAD in sent[1]]
    assert (value, headers[PAYLOAD], headers["caves.source.offset"]) == (None, b"too large", b"1")
    assert "h" not in headers
    assert warehouse.marks == {0: 3}


def test_a_client_that_refuses_at_once_is_as_a_broker_that_refuses() -> None:
    class Refusing(Broker):
        def produce(self, *_: Any, **__: Any) -> None:
            raise KafkaException(KafkaError(KafkaError._FATAL))

    warehouse = Warehouse(row(0))
    with pytest.raises(DeadLettersRefused):
        letters(warehouse, Refusing()).publish_new()
    assert warehouse.marks == {}


def test_a_stop_ends_the_wait_for_a_silent_broker_and_moves_nothing() -> None:
    class Silent(Broker):
        def flush(self, _: float) -> int:
            stop.set()
            return len(self.queue)

    stop, warehouse, broker = Event(), Warehouse(row(0)), Silent()
    with pytest.raises(DeadLettersRefused):
        letters(warehouse, broker, stop).publish_new()
    assert (warehouse.marks, broker.queue) == ({}, [])


@pytest.mark.parametrize(
    ("content", "metadata", "value"),
    [
        (None, {"format": "tombstone"}, None),
        ("", {"format": "text"}, b""),
        ("//4A", {"format": "text", "encoding": "base64"}, b"\xff\xfe\x00"),
        ("é{", {"format": "text"}, "é{".encode()),
        ('{"a":"\\ud800"}', {}, b'{"a":"\\ud800"}'),
    ],
)
def test_the_bytes_are_those_that_came(content: str | None, metadata: Any, value: bytes | None) -> None:
    assert letter_of(row(0, content, **metadata)).value == value


def test_key_and_headers_are_those_that_came_and_ours_follow() -> None:
    headers = [["t", "1"], ["t", None], ["b", {"base64": "/w=="}]]
    letter = letter_of(row(7, key="/w==", key_encoding="base64", headers=headers, timestamp_ms=5))
    assert letter.key == b"\xff"
    assert letter.headers[:3] == [("t", b"1"), ("t", None), ("b", b"\xff")]
    assert dict(letter.headers[3:]) == {
        "caves.source.topic": b"sales_events",
        "caves.source.partition": b"0",
        "caves.source.offset": b"7",
        "caves.source.timestamp_ms": b"5",
        "caves.reasons": b'["NOT_JSON_OBJECT"]',
        "caves.rejected_at": b"2025-07-01T12:00:00Z",
    }


def test_a_payload_of_which_only_the_beginning_was_kept_says_where_the_rest_is() -> None:
    letter = letter_of(row(0, "x", format="text", message={"bytes": 9, "file": "refused/a.parquet"}))
    said = json.loads(dict(letter.headers)[PAYLOAD] or b"")
    assert said == {"beginning": True, "bytes": 9, "file": "refused/a.parquet"}
