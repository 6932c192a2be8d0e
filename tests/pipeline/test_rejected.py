"""`caves rejected`, as an operator types it, on a deployed pipeline: hostile payloads, real procedures."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from caves_cli import main, verification
from caves_snowpark import names
from ingest.topics import create_topic
from tests.events import adjustment, order
from tests.pipeline.conftest import Pipeline, start

# Of the connector, which cancels a statement after 20 s by itself: a busy machine must not fail a test.
PATIENCE = 300

TITLE = "\x1b[2J\x1b]0;owned\x07"
MARKUP = "[bold red]:skull: [/] [link=http://evil.example]x[/link] \\[b]"
HOSTILE = f"{TITLE}{MARKUP} \u202egnp.exe\x9b31m\r"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Caves = Callable[..., Outcome]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Events at known places, distributed by hand; its tasks never run by themselves."""
    for running in start(tmp_path_factory, "rejected", minute_seconds=86_400):
        create_topic(running.state.bootstrap or "", running.state.topic, partitions=2)
        yield running


@pytest.fixture
def topic(pipeline: Pipeline) -> str:
    return pipeline.state.topic


@pytest.fixture
def caves(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Caves:
    """`caves rejected ARGUMENTS` where `caves up` would have been typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAVES_CONFIG_FILE", str(pipeline.folder.config_file))
    monkeypatch.setenv("CAVES_BOOTSTRAP", pipeline.state.bootstrap or "")

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["caves", "rejected", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@dataclass
class Shop:
    """Sends events, and has them loaded and judged."""

    pipeline: Pipeline

    def reject(self, *events: Any, valid_today: bool = False, headers: Any = None) -> list[str]:
        """Their coordinates, once they are rejected: by today's contract, or by one that was mended since."""
        topic = self.pipeline.state.topic
        producer = Producer({"bootstrap.servers": self.pipeline.state.bootstrap})
        offsets: list[int] = []
        for event in events:
            value = event if isinstance(event, bytes | None) else json.dumps(event).encode()
            producer.produce(
                topic,
                value,
                b"\xff\x00key",
                partition=0,
                headers=headers,
                on_delivery=lambda _, message: offsets.append(int(message.offset() or 0)),
            )
        assert producer.flush(20) == 0
        assert self.pipeline.ingest() == len(events)
        with self.pipeline.target.open() as session, session.cursor() as cursor:
            if valid_today:
                cursor.execute(
                    f"INSERT INTO {names.REJECTED_EVENTS}"
                    " (EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, REASONS,"
                    " SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, REJECTED_AT)"
                    " SELECT EVENT_TYPE, EVENT_CONTENT, EVENT_METADATA, ARRAY_CONSTRUCT('INVALID_BOTTLE'),"
                    " EVENT_METADATA:topic::VARCHAR, EVENT_METADATA:partition::NUMBER(38, 0),"
                    f" EVENT_METADATA:offset::NUMBER(38, 0), SYSDATE() FROM {names.STREAM_RAW_EVENTS}"
                )
            else:
                cursor.execute(f"CALL {names.DISTRIBUTE_RAW_EVENTS}()", timeout=PATIENCE)
        return [f"{topic}/0/{offset}" for offset in offsets]


@pytest.fixture(scope="module")
def shop(pipeline: Pipeline) -> Shop:
    return Shop(pipeline)


@pytest.fixture(autouse=True)
def every_invariant_holds(pipeline: Pipeline) -> Iterator[None]:
    """After each test, whatever it did."""
    yield
    with pipeline.target.open() as session:
        assert [verdict for verdict in verification.verify(session) if not verdict.holds] == []


def rows(pipeline: Pipeline, sql: str, *binds: object) -> list[tuple[Any, ...]]:
    with pipeline.target.open() as session, session.cursor() as cursor:
        cursor.execute(sql, binds, timeout=PATIENCE)
        return [tuple(row) for row in cursor.fetchall()]


def test_the_list_fits_80_columns_and_can_be_filtered(
    caves: Caves, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caves_cli.console.out._width", 80)
    first, second = shop.reject(
        adjustment(event_id="a", product_id="x", quantity_change=0, warehouse_location=7, adjustment_type=""),
        order(order_line_id="b", unit_price=-1),
    )
    listed = caves("list")
    assert listed.code == 0, listed.err
    assert max(map(len, listed.out.splitlines())) <= 80
    for part in (first, second, "INVALID_UNIT_PRICE", "INVALID_WAREHOUSE_LOCATION"):
        assert part in listed.out
    only = json.loads(caves("list", "--reason", "invalid_unit_price", "--format", "json").out)
    assert [event["coordinate"] for event in only] == [second]
    assert only[0]["payload"]["unit_price"] == -1
    assert json.loads(caves("list", "--since", "2199-01-01T00:00Z", "--format", "json").out) == []
    assert json.loads(caves("list", "--partition", "1", "--format", "json").out) == []
    assert len(json.loads(caves("list", "--limit", "1", "--format", "json").out)) == 1


def test_values_from_outside_never_become_sql(caves: Caves, shop: Shop) -> None:
    shop.reject(order(quantity=0))
    outcome = caves("list", "--reason", "X' OR '1'='1", "--topic", "t'; DROP TABLE x; --", "--format", "json")
    assert (outcome.code, json.loads(outcome.out)) == (0, [])


def test_a_hostile_payload_is_shown_and_obeyed_by_nobody(
    caves: Caves, shop: Shop, pipeline: Pipeline, topic: str
) -> None:
    coordinate, raw = shop.reject(
        order(order_line_id=HOSTILE, quantity=HOSTILE, customer_id=f"=1+1{HOSTILE}"), HOSTILE.encode()
    )
    caves("dismiss", raw, "--note", HOSTILE, "--yes")
    for arguments in (
        ("show", coordinate),
        ("explain", raw),
        ("list",),
        ("list", "--all", "--format", "csv"),
        ("list", "--all", "--format", "json"),
        ("history",),
        ("history", "--format", "csv"),
        ("correct", coordinate, "--set", f"quantity={HOSTILE}", "--note", HOSTILE, "--yes"),
        ("show", f"{HOSTILE}/0/1"),
    ):
        outcome = caves(*arguments)
        shown = outcome.out + outcome.err
        assert "Traceback" not in shown
        assert not {character for character in shown if ord(character) < 32} - {"\n"}, arguments
        assert not set(shown) & set("\x9b\u202e"), arguments
    shown = caves("show", coordinate).out
    assert MARKUP.removesuffix(" \\[b]") in shown
    assert "here it is" in shown


def test_one_event_is_explained_with_its_value_what_is_wanted_and_the_way_out(
    caves: Caves, shop: Shop
) -> None:
    [coordinate] = shop.reject(order(order_line_id="c", quantity="three", customer_id=None))
    shown = caves("show", coordinate)
    assert shown.code == 0, shown.err
    assert "INVALID_QUANTITY: quantity is not a number that NUMBER(9,0) holds exactly" in shown.out
    assert 'here it is "three"' in shown.out
    assert "MISSING_CUSTOMER_ID: customer_id is absent, null or blank; here it is null" in shown.out
    for command in ("replay", "correct", "dismiss"):
        assert f"caves rejected {command} {coordinate}" in shown.out


@pytest.mark.parametrize(
    ("payload", "words"),
    [(None, "tombstone"), (b"\xff", "base64"), (b"[1]", "NOT_JSON_OBJECT"), (b"x" * 9000, "--full")],
)
def test_what_is_no_event_is_shown_too(caves: Caves, shop: Shop, payload: bytes | None, words: str) -> None:
    [coordinate] = shop.reject(payload)
    shown = caves("show", coordinate)
    assert shown.code == 0, shown.err
    assert words in shown.out
    assert "--file event.json" in shown.out


@pytest.mark.parametrize("command", ["show", "correct", "dismiss"])
def test_a_coordinate_that_is_not_there_is_said(caves: Caves, topic: str, command: str) -> None:
    extra = {"correct": ["--set", "quantity=1", "--note", "x"], "dismiss": ["--note", "x"]}.get(command, [])
    outcome = caves(command, f"{topic}/0/999999", *extra)
    assert outcome.code == 1
    assert outcome.err.startswith(f"Error: No rejected event is at {topic}/0/999999.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "nonsense"), "'nonsense' are no"),
        (("list", "--since", "yesterday"), "offset"),
        (("list", "--since", "2025-07-01T10:00:00"), "offset"),
        (("replay", "t/0/1", "--reason", "X"), "not both"),
        (("dismiss", "--note", "x"), "everything"),
    ],
)
def test_a_mistyped_filter_is_a_usage_error(caves: Caves, arguments: tuple[str, ...], words: str) -> None:
    outcome = caves(*arguments)
    assert outcome.code == 2
    assert words in " ".join(outcome.err.replace("│", " ").split())


def test_a_replay_counts_first_asks_and_takes_back_once(
    caves: Caves, shop: Shop, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.reject(order(order_line_id="r1"), order(order_line_id="r2", quantity=0), valid_today=True)
    dry = caves("replay", "--reason", "INVALID_BOTTLE", "--dry-run")
    assert (dry.code, "2 rejected events wait" in dry.err) == (0, True), dry
    for answer in ("", "n\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        declined = caves("replay", "--reason", "INVALID_BOTTLE")
        assert declined.code == 1
        assert "Nothing was changed." in declined.err
    staged = f"SELECT ORDER_ID FROM {names.STG_ORDERS} WHERE ORDER_ID IN ('r1', 'r2')"
    assert rows(pipeline, staged) == []
    done = caves("replay", "--reason", "INVALID_BOTTLE", "--yes")
    assert done.code == 0, done.err
    assert "Took back 1 of 2: 1 orders and 0 adjustments staged" in done.err
    assert "Took back 0 of 1" in caves("replay", "--reason", "INVALID_BOTTLE", "--yes").err
    assert rows(pipeline, staged) == [("r1",)]


def test_the_call_shapes_of_before_go_on_working(shop: Shop, pipeline: Pipeline) -> None:
    shop.reject(order(order_line_id="s1"), valid_today=True)
    ((none,),) = rows(pipeline, f"CALL {names.REPLAY_REJECTED}('NO_SUCH_REASON')")
    assert json.loads(none)["read"] == 0
    ((some,),) = rows(pipeline, f"CALL {names.REPLAY_REJECTED}('INVALID_BOTTLE')")
    assert json.loads(some)["orders"] == 1
    ((every,),) = rows(pipeline, f"CALL {names.REPLAY_REJECTED}()")
    assert json.loads(every)["replayed"] == 0


def test_an_event_is_corrected_field_by_field(caves: Caves, shop: Shop, pipeline: Pipeline) -> None:
    [coordinate] = shop.reject(order(order_line_id="k", quantity="three", discount="x", total_price="59.97"))
    still = caves("correct", coordinate, "--set", "quantity=0", "--note", "n", "--yes")
    assert still.code == 1
    assert "INVALID_QUANTITY" in still.err
    assert "INVALID_DISCOUNT" in still.err
    assert len(still.err.strip().splitlines()) <= 2
    done = caves(
        *("correct", coordinate, "--set", "quantity=3", "--unset", "discount"),
        *("--set", "order_line_id=42", "--note", "the till's tape", "--yes"),
    )
    assert done.code == 0, done.err
    assert "it is staged" in done.err
    assert '"three"' in done.out
    found = rows(
        pipeline, f"SELECT QUANTITY, TOTAL_AMOUNT::VARCHAR FROM {names.STG_ORDERS} WHERE ORDER_ID = '42'"
    )
    assert [(int(quantity), total) for quantity, total in found] == [(3, "59.97")]
    [decision] = json.loads(caves("history", coordinate, "--format", "json").out)
    assert (decision["decision"], decision["outcome"]) == ("CORRECTED", "STAGED")
    assert (decision["acted_by"], decision["note"]) == ("LOCAL", "the till's tape")
    assert decision["corrected"]["quantity"] == 3
    assert "corrected" in caves("show", coordinate).out
    again = caves("correct", coordinate, "--set", "quantity=3", "--unset", "discount", "--note", "n", "--yes")
    assert again.code == 1
    assert "taken back" in again.err


def test_an_event_is_corrected_from_a_file(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    [coordinate] = shop.reject(b"{cut off")
    assert "--file" in caves("correct", coordinate, "--set", "a=1", "--note", "n", "--yes").err
    file = tmp_path / "event.json"
    for text, words in (("{", "not JSON"), ("[]", "no JSON object")):
        file.write_text(text)
        refused = caves("correct", coordinate, "--file", str(file), "--note", "n", "--yes")
        assert (refused.code, words in refused.err) == (1, True), refused
    file.write_text(json.dumps(adjustment(event_id="from a file", reason="l'été"), indent=2))
    done = caves("correct", coordinate, "--file", str(file), "--note", "n", "--yes")
    assert done.code == 0, done.err


def test_a_dismissed_event_is_set_aside_with_who_and_why(caves: Caves, shop: Shop) -> None:
    [coordinate] = shop.reject(b"noise")
    assert caves("dismiss", coordinate, "--note", " ", "--yes").code == 1
    done = caves("dismiss", coordinate, "--note", "a test of the till", "--yes")
    assert (done.code, "Dismissed 1." in done.err) == (0, True), done
    assert coordinate not in caves("list", "--limit", "1000").out
    assert "dismissed" in caves("show", coordinate).out
    found = list(csv.DictReader(io.StringIO(caves("history", coordinate, "--format", "csv").out)))
    assert [(row["decision"], row["note"]) for row in found] == [("DISMISSED", "a test of the till")]


def copied(pipeline: Pipeline, topic: str, count: int) -> list[Any]:
    """So many messages from the beginning of the topic."""
    consumer = Consumer({"bootstrap.servers": pipeline.state.bootstrap, "group.id": "reader"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[Any] = []
    for _ in range(40):
        found += consumer.consume(count, 0.5)
        if len(found) >= count:
            break
    consumer.close()
    return found


def test_rejected_events_are_published_as_they_came_and_once(
    caves: Caves, shop: Shop, pipeline: Pipeline, topic: str
) -> None:
    """PITFALL 26."""
    caves("publish", "--topic", "dead")
    payloads = [b"\xff\xfe\x00", None, b"", "{é".encode(), b'{"a": [1.50, "\\u001b"]}']
    coordinates = shop.reject(*payloads, headers=[("trace", b"\xff"), ("trace", None), ("a", b"b")])
    assert f"Copied {len(payloads)} rejected" in caves("publish", "--topic", "dead").err
    assert "Copied 0 rejected" in caves("publish", "--topic", "dead").err
    ((expected,),) = rows(pipeline, f"SELECT COUNT(*) FROM {names.REJECTED_EVENTS}")
    copies = copied(pipeline, "dead", int(expected))[-len(payloads) :]
    assert [copy.value() for copy in copies[:4]] == payloads[:4]
    assert json.loads(copies[4].value() or b"") == json.loads(payloads[4] or b"")
    for copy, coordinate in zip(copies, coordinates, strict=True):
        assert copy.key() == b"\xff\x00key"
        headers: Any = copy.headers()
        assert headers[:3] == [("trace", b"\xff"), ("trace", None), ("a", b"b")]
        ours = dict(headers[3:])
        place = (ours["caves.source.topic"], ours["caves.source.partition"], ours["caves.source.offset"])
        assert b"/".join(place).decode() == coordinate
        assert json.loads(ours["caves.reasons"])
        assert int(ours["caves.source.timestamp_ms"]) > 0
