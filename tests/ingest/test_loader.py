"""Loading exactly once: one transaction, a fence in it, and an answer for the commit whose answer is lost."""

import pyarrow as pa
import pytest
from snowflake.connector.errors import OperationalError, ProgrammingError

from ingest.batch import Batch, MessagesInHand
from ingest.errors import FencedError, WarehouseBusy, WarehouseRefused, WarehouseUnreachable
from ingest.loader import WarehouseSink
from ingest.positions import PartitionLog, StoredOffset
from ingest.session import WarehouseSession
from tests.ingest.doubles import FakeMessage, FakeWarehouse

ATTEMPT = ["PUT", "BEGIN", "INSERT", "UPDATE", "COMMIT", "REMOVE"]


def _sink(warehouse: FakeWarehouse) -> WarehouseSink:
    return WarehouseSink(WarehouseSession(warehouse.connect, "w"))


def _batch(start: int = 0, count: int = 3) -> Batch:
    hand = MessagesInHand("sales")
    stored = {0: start, 1: start}
    hand.add((FakeMessage(start + n, place=p) for p in stored for n in range(count)), stored)
    return hand.batch(stored)


def _lost() -> OperationalError:
    return OperationalError("connection reset")


def test_rows_and_offsets_move_in_one_transaction() -> None:
    # PITFALLS 20: nothing is written outside the transaction; 21: each batch has a file of its own.
    warehouse = FakeWarehouse({0: 0, 1: 0})
    _sink(warehouse).load(_batch())
    assert warehouse.statements == ATTEMPT
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 3, 1: 3}, 6)


def test_new_partition_starts_at_the_beginning_of_its_log() -> None:
    warehouse = FakeWarehouse({0: 40})
    logs = {0: PartitionLog(10, 90), 1: PartitionLog(25, 90)}
    assert _sink(warehouse).stored_offsets("sales", logs) == {0: StoredOffset(40), 1: StoredOffset(25)}


def test_writer_that_was_overtaken_writes_nothing_and_says_who_moved_what() -> None:
    warehouse = FakeWarehouse({0: 0, 1: 2})
    with pytest.raises(FencedError, match="partition 1: expected 0, stored 2") as caught:
        _sink(warehouse).load(_batch())
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 0, 1: 2}, 0)
    assert "COMMIT" not in warehouse.statements
    assert not caught.value.transient


@pytest.mark.parametrize("statement", ["PUT", "BEGIN", "UPDATE", "INSERT"])
@pytest.mark.parametrize("happened", [False, True])
def test_connection_lost_before_the_commit_leaves_nothing_and_the_retry_loads_once(
    statement: str, happened: bool
) -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    warehouse.failures.append((statement, _lost(), happened))
    sink, batch = _sink(warehouse), _batch()
    with pytest.raises(WarehouseUnreachable):
        sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 0, 1: 0}, 0)
    sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 3, 1: 3}, 6)


@pytest.mark.parametrize("happened", [False, True])
def test_commit_whose_answer_was_lost_is_looked_up_and_never_guessed(happened: bool) -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    warehouse.failures.append(("COMMIT", _lost(), happened))
    sink, batch = _sink(warehouse), _batch()
    with pytest.raises(WarehouseUnreachable):
        sink.load(batch)
    sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 3, 1: 3}, 6)
    sink.load(_batch(start=3))
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 6, 1: 6}, 12)


def test_commit_that_lands_only_after_we_looked_is_recognised_as_ours() -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    warehouse.failures.append(("COMMIT", _lost(), False))
    sink, batch = _sink(warehouse), _batch()
    with pytest.raises(WarehouseUnreachable):
        sink.load(batch)

    warehouse.at_begin = lambda: warehouse.commit({0: 3, 1: 3}, 6)
    sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 3, 1: 3}, 6)


@pytest.mark.parametrize("lands_late", [False, True])
def test_commit_in_doubt_is_still_known_as_ours_after_other_partitions_were_looked_up(
    lands_late: bool,
) -> None:
    # Partitions may come while a batch waits for its next attempt.
    warehouse = FakeWarehouse({0: 0, 1: 0})
    warehouse.failures.append(("COMMIT", _lost(), not lands_late))
    sink, batch = _sink(warehouse), _batch()
    with pytest.raises(WarehouseUnreachable):
        sink.load(batch)
    sink.stored_offsets("sales", {2: PartitionLog(0, 9)})
    if lands_late:
        warehouse.at_begin = lambda: warehouse.commit({0: 3, 1: 3}, 6)
    sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 3, 1: 3, 2: 0}, 6)


def test_lock_that_is_not_given_is_a_reason_to_try_again() -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    busy = ProgrammingError("Statement reached its statement or warehouse timeout", errno=625)
    warehouse.failures.append(("UPDATE", busy, False))
    sink = _sink(warehouse)
    with pytest.raises(WarehouseBusy) as caught:
        sink.load(_batch())
    assert caught.value.transient
    assert warehouse.statements[-2:] == ["ROLLBACK", "REMOVE"]
    sink.load(_batch())
    assert warehouse.committed_rows == 6


def test_missing_table_is_no_reason_to_try_again_and_is_named() -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    missing = ProgrammingError("Object 'RAW_EVENTS_STREAM' does not exist or not authorized.", errno=2003)
    warehouse.failures.append(("INSERT", missing, False))
    with pytest.raises(WarehouseRefused, match=r"RAW_EVENTS_STREAM.*caves deploy") as caught:
        _sink(warehouse).load(_batch())
    assert not caught.value.transient
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 0, 1: 0}, 0)


def test_batch_of_which_not_every_row_arrived_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    sink, batch = _sink(warehouse), _batch()
    stage = sink._stage

    def stage_half(whole: pa.Table) -> str:
        return stage(whole.slice(0, 2))

    monkeypatch.setattr(sink, "_stage", stage_half)
    with pytest.raises(WarehouseRefused, match="2 rows instead of 6"):
        sink.load(batch)
    assert (warehouse.offsets, warehouse.committed_rows) == ({0: 0, 1: 0}, 0)


def test_staged_file_that_cannot_be_removed_does_not_undo_a_commit() -> None:
    warehouse = FakeWarehouse({0: 0, 1: 0})
    warehouse.failures.append(("REMOVE", _lost(), False))
    sink = _sink(warehouse)
    sink.load(_batch())
    sink.load(_batch(start=3))
    assert warehouse.committed_rows == 12
