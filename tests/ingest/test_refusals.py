"""A message that the warehouse cannot hold is kept all the same, and its neighbours as they are."""

import base64
import hashlib
import json
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snowflake.connector.errors import OperationalError, ProgrammingError

from ingest import refusals
from ingest.batch import Batch, MessagesInHand
from ingest.errors import WarehouseRefused, WarehouseUnreachable
from ingest.loader import WarehouseSink
from ingest.session import WarehouseSession
from tests.ingest.doubles import FakeMessage, FakeWarehouse


def _batch(*messages: FakeMessage) -> Batch:
    hand = MessagesInHand("sales")
    hand.add(messages, {0: 0})
    return hand.batch({0: 0})


def _sink(warehouse: FakeWarehouse) -> WarehouseSink:
    return WarehouseSink(WarehouseSession(warehouse.connect, "w"))


def _poisoned(*places: int, count: int = 50) -> Batch:
    return _batch(*(FakeMessage(n, b"poison" if n in places else b"{}") for n in range(count)))


def _is_poison(row: dict[str, Any]) -> bool:
    return row["payload"] == "poison" and row["refusal"] is None


def test_row_that_is_refused_goes_as_text_and_the_others_as_they_are() -> None:
    warehouse = FakeWarehouse({0: 0})
    warehouse.refuses = _is_poison
    _sink(warehouse).load(_poisoned(17, 18, 49))
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 50}, 50)
    assert [row["kafka_offset"] for row in warehouse.rows] == list(range(50))
    refused = {row["kafka_offset"]: row["refusal"] for row in warehouse.rows if row["refusal"]}
    assert refused == dict.fromkeys((17, 18, 49), "PAYLOAD_REFUSED")


def test_row_that_is_refused_even_as_text_leaves_a_stub_and_a_file_with_all_of_it() -> None:
    warehouse = FakeWarehouse({0: 0})
    warehouse.refuses = lambda row: row["payload"].startswith("poison") and len(row["payload"]) > 1_000
    payload = b"poison" * 1_000
    _sink(warehouse).load(_batch(FakeMessage(0), FakeMessage(1, payload), FakeMessage(2)))
    stub = warehouse.rows[1]
    assert (stub["refusal"], stub["payload"]) == ("PAYLOAD_REFUSED", payload[:1_000].decode())
    facts = json.loads(stub["message_facts"])
    assert facts["bytes"] == len(payload)
    assert facts["sha256"] == hashlib.sha256(payload).hexdigest()
    whole = next(
        table
        for table, file in zip(warehouse.staged, warehouse.files, strict=True)
        if file.startswith("@RAW_DATA.INGEST_STAGE/refused")
    )
    assert whole.to_pylist()[0]["payload"].encode() == payload


def test_payload_that_no_column_holds_is_known_by_its_size_before_anything_is_refused() -> None:
    warehouse = FakeWarehouse({0: 0})
    largest = b"x" * refusals.LARGEST_TEXT_BYTES
    _sink(warehouse).load(
        _batch(FakeMessage(0, largest, None), FakeMessage(1, largest + b"x", None), FakeMessage(2))
    )
    assert [row["refusal"] for row in warehouse.rows] == [None, "PAYLOAD_TOO_LARGE", None]
    assert warehouse.statements.count("INSERT") == 1


def test_stub_of_bytes_tells_their_size_and_hash_and_not_those_of_their_base64() -> None:
    payload = b"\xff" * 3_000
    stub, _, content = refusals.as_stub(_batch(FakeMessage(4, payload)).table)
    [row] = stub.to_pylist()
    facts = json.loads(row["message_facts"])
    assert (facts["bytes"], facts["sha256"]) == (3_000, hashlib.sha256(payload).hexdigest())
    assert payload.startswith(base64.b64decode(row["payload"]))
    assert base64.b64decode(pq.read_table(content).to_pylist()[0]["payload"]) == payload


def test_huge_key_does_not_stay_in_the_row_either() -> None:
    warehouse = FakeWarehouse({0: 0})
    key = b"k" * (refusals.LARGEST_TEXT_BYTES + 1)
    _sink(warehouse).load(_batch(FakeMessage(0, None, key, extra=[("h", b"1" * 2_000)])))
    [row] = warehouse.rows
    assert (row["payload"], len(row["message_key"]), row["headers"]) == (None, 1_000, None)


def test_statement_that_is_wrong_as_a_whole_ends_at_once() -> None:
    warehouse = FakeWarehouse({0: 0})
    missing = ProgrammingError("Object 'RAW_EVENTS_STREAM' does not exist or not authorized.", errno=2003)
    warehouse.failures.append(("INSERT", missing, False))
    with pytest.raises(WarehouseRefused, match="caves deploy"):
        _sink(warehouse).load(_poisoned(3))
    assert warehouse.statements.count("INSERT") == 1


def test_warehouse_that_refuses_whatever_it_is_given_ends_the_search_at_the_first_row() -> None:
    warehouse = FakeWarehouse({0: 0})
    warehouse.refuses = lambda _: True
    with pytest.raises(WarehouseRefused, match="Max LOB size"):
        _sink(warehouse).load(_poisoned(count=64))
    assert warehouse.statements.count("INSERT") < 20
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 0}, 0)


def test_refusal_that_no_single_row_explains_is_told_and_nothing_is_written() -> None:
    warehouse = FakeWarehouse({0: 0})
    passing = ProgrammingError("Max LOB size (16777216) exceeded", errno=100082)
    warehouse.failures.append(("INSERT", passing, False))
    with pytest.raises(WarehouseRefused, match="Max LOB size"):
        _sink(warehouse).load(_poisoned(count=8))
    assert warehouse.committed_rows == 0


@pytest.mark.parametrize("statement", ["PUT", "BEGIN", "INSERT", "ROLLBACK", "UPDATE", "COMMIT"])
@pytest.mark.parametrize("happened", [False, True])
def test_connection_lost_while_the_row_is_looked_for_loses_and_doubles_nothing(
    statement: str, happened: bool
) -> None:
    warehouse = FakeWarehouse({0: 0})
    warehouse.refuses = _is_poison
    sink, batch = _sink(warehouse), _poisoned(5, count=16)
    real = sink._accepts
    broken: list[int] = []

    def accepts(table: pa.Table) -> bool:
        if not broken:
            broken.append(1)
            warehouse.failures.append((statement, OperationalError("connection reset"), happened))
        return real(table)

    sink._accepts = accepts  # type: ignore[method-assign]
    for _ in range(3):
        try:
            sink.load(batch)
            break
        except WarehouseUnreachable:
            continue
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 16}, 16)
    assert [row["kafka_offset"] for row in warehouse.rows if row["refusal"]] == [5]


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=12))
def test_every_refused_row_is_found_and_no_other(count: int, places: set[int]) -> None:
    bad = {place for place in places if place < count}
    table = pa.table({"row": list(range(count))})
    tried = []

    def accepts(part: pa.Table) -> bool:
        tried.append(part.num_rows)
        return not bad.intersection(part.column("row").to_pylist())

    found = list(refusals.refused_rows(table, accepts))
    assert sorted(found) == sorted(bad)
    assert len(tried) <= (2 * len(bad) + 2) * (count.bit_length() + 1)


def test_rows_put_in_place_of_others_leave_the_order_alone() -> None:
    table = pa.table({"row": [0, 1, 2, 3]})
    one = pa.table({"row": [9]})
    for places in ([0], [3], [1, 2], [0, 1, 2, 3]):
        rows = refusals.with_rows(table, dict.fromkeys(places, one)).column("row").to_pylist()
        assert rows == [9 if place in places else place for place in range(4)]


def test_stub_of_the_same_message_has_the_same_file_name() -> None:
    row = _batch(FakeMessage(4, b"{}")).table
    first, second = (refusals.as_stub(row)[1] for _ in range(2))
    assert first == second
    assert first.startswith("sales-0-4-")
    assert isinstance(refusals.as_stub(row)[2], BytesIO)
