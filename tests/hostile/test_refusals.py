"""What the warehouse cannot hold as it is: the message is kept, rejected for its own reason, and alone."""

import hashlib
from collections.abc import Sequence

import pytest

from caves_snowpark import names
from ingest import loader
from ingest.batch import MessagesInHand
from ingest.errors import WarehouseRefused
from ingest.positions import PartitionLog, next_offsets
from tests.engines.engine import Snowcellar
from tests.events import order
from tests.hostile import path
from tests.hostile.corpus import Entry, encoded, large
from tests.hostile.oracle import ORDER, REJECTED, Verdict
from tests.ingest.doubles import FakeMessage

TOPIC = "refused"


def entry(name: str) -> Entry:
    return Entry(name, encoded(order(order_line_id=name)), ORDER)


def load(engine: Snowcellar, topic: str, entries: Sequence[Entry]) -> None:
    stored = next_offsets(engine.sink.stored_offsets(topic, {0: PartitionLog(0, 0)}))
    hand = MessagesInHand(topic)
    hand.add(
        (
            FakeMessage(stored[0] + number, each.value, each.key, extra=each.headers)
            for number, each in enumerate(entries)
        ),
        stored,
    )
    engine.sink.load(hand.batch(stored))


def expected(entries: Sequence[Entry]) -> list[tuple[path.Place, Verdict]]:
    return [((0, at), Verdict(each.lands, frozenset(each.reasons))) for at, each in enumerate(entries)]


def test_messages_beyond_a_column_leave_a_stub_and_a_staged_file(engine: Snowcellar) -> None:
    """PITFALL 23, beyond what the broker takes by default."""
    entries = [part for each in large() for part in (each, entry(f"beside {each.name}"))]
    load(engine, "large", entries)
    path.tick(engine)
    assert path.wrongly_landed(expected(entries), path.landed(engine, "large")) == []
    rows = path.raw_rows(engine, "large")
    for offset, each in enumerate(entries):
        row = rows[0, offset]
        if "PAYLOAD_TOO_LARGE" not in each.reasons:
            assert path.same_json(row.payload, each.value) or row.payload == each.value
            continue
        facts, value = row.metadata["message"], each.value or b""
        assert facts["bytes"] == len(value)
        assert facts["sha256"] == hashlib.sha256(value).hexdigest()
        staged = f"@{names.INGEST_STAGE}/{facts['file']} (FILE_FORMAT => 'RAW_DATA.PARQUET_BATCH')"
        query = f"SELECT LENGTH($1:payload::VARCHAR), LENGTH($1:message_key::VARCHAR) FROM {staged}"
        [[payload, key]] = engine.session.sql(query).collect()
        assert key == len(each.key or b"")
        assert payload in (len(value), (len(value) + 2) // 3 * 4)


# What a row with this mark meets: an error of its value, as Snowflake numbers it, from the server itself.
_MARK = "poison"
_REFUSING = f"""
    SELECT
        IFF(
            CONTAINS($1:payload::VARCHAR, '{_MARK}') AND $1:refusal::VARCHAR IS NULL, 'x'::NUMBER, 0
        ) AS REFUSED,
        $1:topic"""


def test_row_that_the_warehouse_refuses_is_found_kept_and_rejected(
    engine: Snowcellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PITFALL 24: one message stalled a whole batch for ever."""
    refusing = loader._INSERT.replace("'topic', TOPIC,", "'topic', TOPIC, 'x', REFUSED,")
    refusing = refusing.replace("\n    SELECT\n        $1:topic", _REFUSING)
    assert refusing.count("REFUSED") == 2
    monkeypatch.setattr(loader, "_INSERT", refusing)
    entries = [entry(f"{TOPIC} {number}") for number in range(40)]
    for number in (7, 8, 31):
        poisoned = encoded(order(order_line_id=_MARK, quantity=number))
        entries[number] = Entry(_MARK, poisoned, REJECTED, ("PAYLOAD_REFUSED",))
    load(engine, TOPIC, entries)
    path.tick(engine)
    assert path.wrongly_landed(expected(entries), path.landed(engine, TOPIC)) == []
    rows = path.raw_rows(engine, TOPIC)
    assert [rows[0, offset].payload for offset in (7, 8, 31)] == [entries[at].value for at in (7, 8, 31)]


def test_refusal_of_the_statement_ends_at_once_and_is_told(
    engine: Snowcellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = loader._INSERT.replace("INTO RAW_DATA.RAW_EVENTS_STREAM", "INTO RAW_DATA.NO_SUCH_TABLE")
    monkeypatch.setattr(loader, "_INSERT", wrong)
    tried: list[object] = []
    monkeypatch.setattr(engine.sink, "_accepts", tried.append)
    with pytest.raises(WarehouseRefused, match="NO_SUCH_TABLE"):
        load(engine, "missing", [entry(f"missing {number}") for number in range(8)])
    assert tried == []
