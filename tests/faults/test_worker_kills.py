"""Workers that are killed, idle or in the middle of a call, and two calls that meet."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from snowflake.connector.errors import ProgrammingError

from caves_snowpark import names
from tests.faults.crash_client import FragileClient
from tests.faults.crash_course import Stage, check, hold, staged
from tests.faults.crash_hook import KILL
from tests.faults.crash_scenario import PROCEDURES, after, broken_invariants, differences
from tests.faults.crash_warehouse import CrashWarehouse, short

# Deployment and the scenario come first, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)

OTHER = "SAVED.OTHER"


@pytest.fixture(scope="module")
def on_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("kills")) as started, started.warehouse.session() as run:
        run(f"CREATE TABLE {OTHER} (A VARCHAR)")
        yield started


@pytest.fixture
def stage(on_stage: Stage) -> Stage:
    with on_stage.warehouse.session() as run:
        on_stage.scenario.reset(run)
        run(f"DELETE FROM {OTHER}")
    return on_stage


def workers(warehouse: CrashWarehouse) -> list[int]:
    """The worker processes of a warehouse."""
    assert warehouse.process is not None
    command = ["pgrep", "-P", str(warehouse.process.pid), "-f", "snowcellar.procedures.worker"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def kill_workers(warehouse: CrashWarehouse) -> int:
    """Kill all of them at once; how many there were."""
    pids = workers(warehouse)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def test_idle_workers_that_are_killed_are_replaced_before_the_next_call(stage: Stage) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        for procedure in PROCEDURES[:3]:
            run(f"CALL {procedure}()")
            assert kill_workers(warehouse) > 0
        check(stage, run, dict.fromkeys(PROCEDURES[:3], 1_000))


def test_all_workers_killed_at_once_in_the_middle_of_their_calls_fail_these_calls_alone(stage: Stage) -> None:
    warehouse = stage.warehouse
    held = {name: stage.courses[name].decided - 1 for name in PROCEDURES if name != names.REPLAY_REJECTED}
    callers = hold(warehouse, held)
    assert kill_workers(warehouse) == len(held)
    for caller in callers:
        answer = caller.wait()
        assert answer is not None
        assert "was killed by signal 9 before it answered" in answer["message"]
    with warehouse.session() as run:
        check(stage, run, held)


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("procedure", [names.MERGE_ORDERS, names.MERGE_INVENTORY_CURRENT])
def test_a_worker_killed_within_its_callers_transaction_leaves_that_transaction_to_the_caller(
    stage: Stage, procedure: str, ending: str
) -> None:
    """What a procedure does in a transaction of its own stays; the rest goes with its caller's."""
    warehouse, course = stage.warehouse, stage.courses[procedure]
    has_its_own = any(text == "BEGIN" for _, text in course.statements)
    with warehouse.session() as run:
        for gap in course.gaps_after_work():
            stage.scenario.reset(run)
            run(f"DELETE FROM {OTHER}")
            run("BEGIN")
            run(f"INSERT INTO {OTHER} VALUES ('before')")
            warehouse.crash(short(procedure), gap, KILL)
            with pytest.raises(ProgrammingError, match="was killed by signal 9"):
                run(f"CALL {procedure}()")
            warehouse.forget_crashes()
            run(f"INSERT INTO {OTHER} VALUES ('after')")
            run(ending)
            kept = ending == "COMMIT"
            assert len(run(f"SELECT A FROM {OTHER}")) == (2 if kept else 0)
            done = gap >= course.decided and (has_its_own or kept)
            expected = after(stage.start, *([course.effect] if done else []))
            assert differences(expected, stage.scenario.state(run)) == {}, gap
            assert broken_invariants(warehouse) == []
            run(f"CALL {procedure}()")
            assert differences(after(stage.start, course.effect), stage.scenario.state(run)) == {}, gap


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_two_calls_of_one_procedure_at_the_same_moment_do_its_work_once(stage: Stage, procedure: str) -> None:
    """The first stands still between two statements while the second comes, and goes on after a while."""
    warehouse, course = stage.warehouse, stage.courses[procedure]
    gaps = course.gaps_after_work()[:-1]
    if procedure in (names.DISTRIBUTE_RAW_EVENTS, names.REPLAY_REJECTED):
        gaps = gaps[:4]
    with warehouse.session() as run:
        for gap in gaps:
            stage.scenario.reset(run)
            [first] = hold(warehouse, {procedure: gap})
            second = FragileClient(warehouse)
            second.begin(f"CALL {procedure}()")
            # The second may be through before the first goes on, or wait for its lock: either must be right.
            wait_for_answer(second, seconds=0.5)
            warehouse.forget_crashes()
            answers = [client.wait() for client in (first, second)]
            assert any(answer is not None and answer["success"] for answer in answers), gap
            assert differences(after(stage.start, course.effect), stage.scenario.state(run)) == {}, gap
    assert broken_invariants(warehouse) == []


def wait_for_answer(client: FragileClient, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while client.answer is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_caller_that_vanishes_with_its_transaction_open_holds_nobody_up(stage: Stage) -> None:
    procedure = names.MERGE_INVENTORY_CURRENT
    caller = FragileClient(stage.warehouse)
    assert caller.run("BEGIN")["success"]
    assert caller.run(f"CALL {procedure}()")["success"]
    caller.vanish()
    with stage.warehouse.session() as run:
        assert differences(stage.start, stage.scenario.state(run)) == {}
        run(f"CALL {procedure}()")
        assert (
            differences(after(stage.start, stage.courses[procedure].effect), stage.scenario.state(run)) == {}
        )
    assert broken_invariants(stage.warehouse) == []
