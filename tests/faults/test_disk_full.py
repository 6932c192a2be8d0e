"""A disk without room: what cannot be written fails and says so, and what was committed stays.

The server's files are given a size that they may not pass, which is how the system itself refuses a write.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

from caves_snowpark import names
from ingest.errors import IngestError, WarehouseBusy
from tests.events import order
from tests.faults.crash_scenario import (
    CHILDREN,
    PROCEDURES,
    Scenario,
    batch_of,
    broken_invariants,
    differences,
    prepared,
    run_to_the_end,
    sink_of,
    take_over,
)
from tests.faults.crash_warehouse import PATIENCE_SECONDS, CrashWarehouse

# Deployment and the scenario come first, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)

FULL = r"000603 \(53100\): The disk that holds the warehouse is full \(.*File too large\)"
# From nothing at all to almost enough: each time the log breaks off at another place.
ROOMS = (0, 1, 100)
FILE = f"cellar.duckdb.d/{names.DEFAULT_DATABASE}.db"
PARTITION = "EVENT_METADATA:partition::NUMBER(38, 0)"


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    with prepared(tmp_path_factory.mktemp("disk")) as started:
        yield started


@pytest.fixture
def warehouse(scenario: Scenario) -> Iterator[CrashWarehouse]:
    if scenario.warehouse.process is None:
        scenario.warehouse.start()
    with scenario.warehouse.session() as run:
        scenario.reset(run)
    yield scenario.warehouse
    if scenario.warehouse.process is not None:
        scenario.warehouse.free_disk()


def test_a_procedure_that_finds_no_room_fails_and_keeps_nothing(
    scenario: Scenario, warehouse: CrashWarehouse
) -> None:
    with warehouse.session() as run:
        start = scenario.state(run)
        for procedure in PROCEDURES:
            for room in ROOMS:
                warehouse.fill_disk(room)
                with pytest.raises(ProgrammingError, match="The disk that holds the warehouse is full"):
                    run(f"CALL {procedure}()")
                warehouse.free_disk()
                assert differences(start, scenario.state(run)) == {}, (procedure, room)
        run_to_the_end(run)
    assert broken_invariants(warehouse) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_warehouse_that_ends_while_its_disk_is_full_has_lost_nothing(
    scenario: Scenario, warehouse: CrashWarehouse, number: signal.Signals
) -> None:
    with warehouse.session() as run:
        run(f"CALL {names.MERGE_ORDERS}()")
        before = scenario.state(run)
        warehouse.fill_disk(room=200)
        with pytest.raises(ProgrammingError, match="disk"):
            run(f"CALL {names.APPEND_INVENTORY_HISTORY}()")
    warehouse.kill(number)
    warehouse.start()
    with warehouse.session() as run:
        assert differences(before, scenario.state(run)) == {}
        for child in CHILDREN:
            run(f"CALL {child}()")
    assert broken_invariants(warehouse) == []


def test_a_commit_that_finds_no_room_is_refused_with_snowflakes_shape_and_the_session_goes_on(
    warehouse: CrashWarehouse,
) -> None:
    with warehouse.session() as run:
        run("CREATE OR REPLACE TABLE SAVED.WORDS (WORD VARCHAR)")
        run("BEGIN")
        run("INSERT INTO SAVED.WORDS SELECT REPEAT('x', 1000) FROM TABLE(GENERATOR(ROWCOUNT => 100))")
        warehouse.fill_disk(room=10_000)
        with pytest.raises(ProgrammingError, match=FULL):
            run("COMMIT")
        run("INSERT INTO SAVED.WORDS VALUES ('fits')")
        warehouse.free_disk()
        run("INSERT INTO SAVED.WORDS VALUES ('now')")
        assert sorted(run("SELECT WORD FROM SAVED.WORDS")) == [("fits",), ("now",)]


def test_a_batch_too_large_for_the_files_themselves_is_refused_before_its_commit(
    warehouse: CrashWarehouse,
) -> None:
    """Many rows go to the database's file before the commit."""
    many = "INSERT INTO SAVED.MANY SELECT RANDSTR(40, RANDOM()) FROM TABLE(GENERATOR(ROWCOUNT => 400000))"
    with warehouse.session() as run:
        run("CREATE OR REPLACE TABLE SAVED.MANY (WORD VARCHAR)")
        warehouse.limit_files(2_000_000)
        with pytest.raises(ProgrammingError, match="The disk that holds the warehouse is full"):
            run(many)
        assert run("SELECT COUNT(*) FROM SAVED.MANY") == [(0,)]
        warehouse.free_disk()
        run("INSERT INTO SAVED.MANY VALUES ('now')")
        assert run("SELECT COUNT(*) FROM SAVED.MANY") == [(1,)]


def test_objects_made_without_room_are_not_half_there(warehouse: CrashWarehouse) -> None:
    made = {
        "TABLE SAVED.LATE (A VARCHAR)": "SELECT COUNT(*) FROM SAVED.LATE",
        f"STREAM SAVED.LATE_STREAM ON TABLE {names.ORDERS}": "SELECT COUNT(*) FROM SAVED.LATE_STREAM",
        "TASK SAVED.LATE_TASK SCHEDULE = '1 MINUTE' AS SELECT 1": "DESCRIBE TASK SAVED.LATE_TASK",
        "SCHEMA LATE": "CREATE TABLE LATE.T (A VARCHAR)",
    }
    with warehouse.session() as run:
        for statement, use in made.items():
            warehouse.fill_disk(room=0)
            with pytest.raises(ProgrammingError, match="disk"):
                run(f"CREATE {statement}")
            with pytest.raises(ProgrammingError, match=r"does not exist|disk"):
                run(use)
            warehouse.free_disk()
            with pytest.raises(ProgrammingError, match="does not exist"):
                run(use)
            run(f"CREATE {statement}")
            run(use)
        run(f"INSERT INTO {names.ORDERS} SELECT * FROM {names.ORDERS} LIMIT 1")
        assert run("SELECT COUNT(*) FROM SAVED.LATE_STREAM") == [(1,)]


@pytest.mark.parametrize("room", [*ROOMS, 1_000, 4_000])
def test_a_batch_that_finds_no_room_is_a_reason_to_wait_and_is_loaded_once_there_is_some(
    scenario: Scenario, warehouse: CrashWarehouse, room: int
) -> None:
    sink = sink_of(warehouse)
    take_over(sink, 9)
    with warehouse.session() as run:
        before = scenario.state(run)
        warehouse.fill_disk(room)
        batch = batch_of((order(order_line_id=f"late-{n}") for n in range(100)), partition=9)
        for _ in range(2):
            with pytest.raises(WarehouseBusy, match="disk that holds the warehouse is full"):
                sink.load(batch)
        assert differences(before, scenario.state(run)) == {}
        warehouse.free_disk()
        sink.load(batch)
        assert run(f"SELECT COUNT(*) FROM {names.RAW_EVENTS} WHERE {PARTITION} = 9") == [(100,)]
    sink.close()
    assert broken_invariants(warehouse) == []


def test_a_file_that_does_not_fit_on_the_stage_is_a_reason_to_wait_and_leaves_no_piece(
    warehouse: CrashWarehouse,
) -> None:
    sink = sink_of(warehouse)
    take_over(sink, 9)
    stages = warehouse.folder / "cellar.duckdb.d" / "stages"
    before = sorted(stages.rglob("*"))
    warehouse.limit_files(1_000)
    batch = batch_of((order(order_line_id=f"late-{n}") for n in range(100)), partition=9)
    with pytest.raises(IngestError, match="507") as refused:
        sink.load(batch)
    assert refused.value.transient
    assert sorted(stages.rglob("*")) == before
    warehouse.free_disk()
    sink.load(batch)
    sink.close()
    assert broken_invariants(warehouse) == []


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[CrashWarehouse]:
    """An empty warehouse that writes its log into its files after every 100 KB rather than every GB."""
    program = (
        "from snowcellar import cli, warehouse\n"
        "warehouse._DUCKDB_CONFIG['checkpoint_threshold'] = '100KB'\n"
        "cli.main()"
    )
    warehouse = CrashWarehouse(tmp_path, program=(sys.executable, "-c", program))
    warehouse.start()
    yield warehouse
    if warehouse.process is not None:
        warehouse.kill()


def test_a_commit_whose_checkpoint_found_no_room_is_kept_and_the_warehouse_ends(
    hasty: CrashWarehouse,
) -> None:
    """DuckDB then wants its file opened anew. To say that the commit failed would be untrue."""
    with hasty.session() as run:
        run(f"CREATE DATABASE {names.DEFAULT_DATABASE}")
        run("CREATE TABLE PUBLIC.WORDS (WORD VARCHAR)")
        for length in (200, 100, 20):
            run(words(length, rows=1_000))
        kept = 3_000
        hasty.limit_files((hasty.folder / FILE).stat().st_size + 20_000)
        with pytest.raises(ProgrammingError, match="cannot go on and ends"):
            while True:
                run(words(20, rows=500))
                kept += 500
    assert hasty.process is not None
    assert hasty.process.wait(PATIENCE_SECONDS) == 1
    hasty.kill()
    hasty.start()
    with hasty.session() as run:
        assert run("SELECT COUNT(*) FROM PUBLIC.WORDS") == [(kept,)]


def words(length: int, rows: int) -> str:
    """Rows that do not compress."""
    random = f"SELECT RANDSTR({length}, RANDOM()) FROM TABLE(GENERATOR(ROWCOUNT => {rows}))"
    return f"INSERT INTO PUBLIC.WORDS {random}"
