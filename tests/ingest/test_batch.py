"""From messages to columns: nothing is lost, nothing is parsed, and what is not UTF-8 says so."""

import base64
from typing import Any, ClassVar

import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import MessagesInHand, Slice
from tests.ingest.doubles import FakeMessage


def _rows(*messages: FakeMessage) -> list[dict[str, object]]:
    hand = MessagesInHand("sales")
    stored = dict.fromkeys((message.place for message in messages), 0)
    hand.add(messages, stored)
    rows: list[dict[str, object]] = hand.batch(stored).table.to_pylist()
    return rows


def test_message_becomes_one_row_with_its_coordinates() -> None:
    (row,) = _rows(FakeMessage(7, b'{"a":1}', b"1001", place=2))
    assert row == {
        "topic": "sales",
        "generation": None,
        "kafka_partition": 2,
        "kafka_offset": 7,
        "timestamp_ms": 1_700_000_000_007,
        "message_key": "1001",
        "key_encoding": "utf-8",
        "headers": None,
        "payload": '{"a":1}',
        "payload_encoding": "utf-8",
        "refusal": None,
        "message_facts": None,
    }


def test_tombstone_and_empty_value_stay_apart() -> None:
    tombstone, empty = _rows(FakeMessage(0, None), FakeMessage(1, b""))
    assert tombstone["payload"] is None
    assert empty["payload"] == ""


def test_bytes_that_are_no_utf8_go_as_base64_and_their_neighbours_as_text() -> None:
    broken, fine = _rows(FakeMessage(0, b"\xff\xfe{}", b"\x80"), FakeMessage(1, "é{}".encode(), b"k"))
    assert (broken["payload_encoding"], broken["key_encoding"]) == ("base64", "base64")
    assert base64.b64decode(str(broken["payload"])) == b"\xff\xfe{}"
    assert (fine["payload"], fine["payload_encoding"], fine["key_encoding"]) == ("é{}", "utf-8", "utf-8")


def test_headers_keep_their_order_and_their_repeats() -> None:
    (row,) = _rows(FakeMessage(0, extra=[("a", b"1"), ("a", b"2"), ("b", b"\xff"), ("c", None)]))
    assert orjson.loads(str(row["headers"])) == [
        ["a", "1"],
        ["a", "2"],
        ["b", {"base64": "/w=="}],
        ["c", None],
    ]


@given(
    st.lists(st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=20).map(str.encode)), min_size=1)
)
def test_every_payload_can_be_had_back_byte_for_byte(values: list[bytes | None]) -> None:
    rows = _rows(*(FakeMessage(number, value) for number, value in enumerate(values)))
    assert [_original(row) for row in rows] == values


def _original(row: dict[str, object]) -> bytes | None:
    if row["payload"] is None:
        return None
    text = str(row["payload"])
    return base64.b64decode(text) if row["payload_encoding"] == "base64" else text.encode()


def test_surrogate_halves_are_no_utf8_and_kept_all_the_same() -> None:
    (row,) = _rows(FakeMessage(0, b'"\xed\xa0\x80"'))
    assert row["payload_encoding"] == "base64"


def test_messages_that_are_already_loaded_or_of_another_partition_are_left_out() -> None:
    hand = MessagesInHand("sales")
    hand.add([FakeMessage(4), FakeMessage(5), FakeMessage(6, place=3)], {0: 5})
    hand.add([FakeMessage(5), FakeMessage(6)], {0: 5})
    batch = hand.batch({0: 5})
    assert batch.slices == (Slice(0, 5, 7),)
    assert batch.table.column("kafka_offset").to_pylist() == [5, 6]


def test_slice_covers_offsets_that_were_compacted_away_and_names_them() -> None:
    hand = MessagesInHand("sales")
    hand.add([FakeMessage(12), FakeMessage(13), FakeMessage(15)], {0: 10})
    batch = hand.batch({0: 10}, {0: 1})
    assert batch.slices == (Slice(0, 10, 16, 1),)
    assert [(gap.start, gap.end, gap.generation) for gap in batch.gaps] == [(10, 12, 1), (14, 15, 1)]
    hand.clear()
    hand.add([FakeMessage(16)], {0: 16})
    assert hand.batch({0: 16}).gaps == ()


def test_messages_that_come_again_are_dropped_and_counted() -> None:
    # PITFALLS 22.
    hand = MessagesInHand("sales")
    assert hand.add([FakeMessage(0), FakeMessage(1), FakeMessage(0)], {0: 0}) == {0: 1}
    assert hand.add([FakeMessage(0), FakeMessage(1), FakeMessage(2)], {0: 0}) == {0: 2}
    assert hand.batch({0: 0}).table.column("kafka_offset").to_pylist() == [0, 1, 2]


def test_rows_of_a_log_that_replaced_another_say_so() -> None:
    hand = MessagesInHand("sales")
    hand.add([FakeMessage(0), FakeMessage(0, place=1)], {0: 0, 1: 0})
    table = hand.batch({0: 0, 1: 0}, {0: 0, 1: 2}).table
    assert table.column("generation").to_pylist() == [None, 2]


def test_hand_counts_bytes_and_waits_from_its_first_message_on() -> None:
    hand = MessagesInHand("sales")
    assert hand.age_seconds == 0
    hand.add([FakeMessage(0, b"12345"), FakeMessage(1, None)], {0: 0})
    assert (len(hand), hand.payload_bytes) == (2, 5)
    assert hand.age_seconds > 0
    hand.clear()
    assert (len(hand), hand.payload_bytes, hand.age_seconds) == (0, 0, 0)


def test_keys_and_headers_count_for_the_bound_of_what_is_held() -> None:
    # PITFALLS 30: a tombstone has no payload, and may be as large as a message can be.
    hand = MessagesInHand("sales")
    hand.add([FakeMessage(0, None, b"k" * 5_000, extra=[("h", b"v" * 7_000)])], {0: 0})
    assert hand.payload_bytes == 0
    assert 12_000 < hand.held_bytes < 12_100
    hand.clear()
    assert hand.held_bytes == 0


def test_headers_that_the_client_cannot_read_stop_nobody_and_are_asked_for_once() -> None:
    # PITFALLS 23: a name that is not UTF-8. Asked again, the client gives a list with a hole in memory.
    class Unreadable(FakeMessage):
        asked: ClassVar[list[int]] = []

        def headers(self) -> Any:
            self.asked.append(self.at)
            raise SystemError("returned a result with an exception set")

    broken, fine = _rows(Unreadable(0), FakeMessage(1, extra=[("a", b"1")]))
    assert orjson.loads(str(broken["headers"])) == {"unreadable": "a name is not UTF-8"}
    assert (broken["payload"], fine["headers"]) == ("{}", '[["a","1"]]')
    assert Unreadable.asked == [0]


def test_columns_are_text_because_snowflake_reads_no_binary_column_of_parquet() -> None:
    hand = MessagesInHand("sales")
    hand.add([FakeMessage(0, b"\xff")], {0: 0})
    types = {field.type for field in hand.batch({0: 0}).table.schema}
    assert types == {pa.string(), pa.int64()}
