"""The graph of tasks when its procedures die, and when it is suspended, resumed, replaced or started by hand.

A run stands still in one of its procedures while something is done to the graph. Whatever it was, in the end
every event has gone through once, without a new one to wake the graph.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from caves_cli import sql_files
from caves_snowpark import names
from tests.faults.crash_course import Stage, staged
from tests.faults.crash_hook import HOLD, KILL
from tests.faults.crash_scenario import broken_invariants, differences
from tests.faults.crash_warehouse import ROOT, CrashWarehouse, Run, eventually, short

# Deployment and the scenario come first, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)

# The root and one child always; the other two, which differ in their procedure alone, with `exhaustive`.
EACH_TASK = [
    names.ROOT_TASK,
    names.TASK_ORDERS,
    pytest.param(names.TASK_INVENTORY_HISTORY, marks=pytest.mark.exhaustive),
    pytest.param(names.TASK_INVENTORY_CURRENT, marks=pytest.mark.exhaustive),
]
MINUTE_SECONDS = 0.5
TASKS = names.TASK_PROCEDURES
HISTORY = "TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000))"
BY_HAND = (
    f"SELECT COUNT(*) FROM {HISTORY} WHERE SCHEDULED_FROM = 'EXECUTE TASK'"
    f" AND NAME = '{short(names.ROOT_TASK)}' AND STATE IN ('SUCCEEDED', 'SKIPPED')"
)
INTERRUPTED = "The warehouse stopped while this task ran"


@pytest.fixture(scope="module")
def on_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("graph"), minute_seconds=MINUTE_SECONDS) as started:
        yield started


@pytest.fixture
def stage(on_stage: Stage) -> Stage:
    with on_stage.warehouse.session() as run:
        suspend(run)
        eventually(lambda: not running(run))
        on_stage.scenario.reset(run)
    on_stage.warehouse.clear_said()
    return on_stage


def suspend(run: Run) -> None:
    for task in names.TASKS:
        run(f"ALTER TASK {task} SUSPEND")


def resume(run: Run) -> None:
    run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
    for task in names.CHILD_TASKS:
        run(f"ALTER TASK {task} RESUME")
    run(f"ALTER TASK {names.ROOT_TASK} RESUME")


def running(run: Run) -> list[str]:
    """The tasks that run now."""
    return [name for (name,) in run(f"SELECT NAME FROM {HISTORY} WHERE STATE = 'EXECUTING'")]


def waiting(run: Run) -> list[str]:
    """The streams that hold rows."""
    return [stream for stream in names.STREAMS if run(f"SELECT COUNT(*) FROM {stream}") != [(0,)]]


def check_drained(stage: Stage, run: Run) -> None:
    """Let the graph do what is left, and compare with a run in which nothing happened."""
    stage.warehouse.forget_crashes()
    eventually(lambda: not waiting(run) and not running(run), "the streams are empty")
    run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
    eventually(lambda: not running(run))
    assert differences(stage.end_of_tasks, stage.scenario.state(run)) == {}
    assert broken_invariants(stage.warehouse) == []


def hold_in(warehouse: CrashWarehouse, task: str, gap: int = 1) -> None:
    """Have the next run of a task stand still after a statement of its procedure."""
    warehouse.crash(short(TASKS[task]), gap, HOLD)


def await_hold(warehouse: CrashWarehouse, task: str) -> None:
    warehouse.await_said(short(TASKS[task]), "held")


@pytest.mark.parametrize("task", EACH_TASK)
def test_a_task_whose_procedure_dies_has_failed_and_the_next_tick_drains_what_it_left(
    stage: Stage, task: str
) -> None:
    # PITFALLS 14.
    warehouse, course = stage.warehouse, stage.courses[TASKS[task]]
    with warehouse.session() as run:
        for gap in course.gaps_at_decision():
            suspend(run)
            stage.scenario.reset(run)
            warehouse.crash(short(TASKS[task]), gap, KILL)
            before = run(failed_runs(task))
            resume(run)
            eventually(partial(lambda seen: run(failed_runs(task)) > seen, before), "the task has failed")
            check_drained(stage, run)
        reasons = {
            message for (message,) in run(f"SELECT ERROR_MESSAGE FROM {HISTORY} WHERE STATE = 'FAILED'")
        }
        assert all("was killed by signal 9" in message for message in reasons)


def failed_runs(task: str) -> str:
    return f"SELECT COUNT(*) FROM {HISTORY} WHERE NAME = '{short(task)}' AND STATE = 'FAILED'"


@pytest.mark.parametrize("task", EACH_TASK)
def test_a_graph_suspended_and_resumed_during_a_task_loses_and_doubles_nothing(
    stage: Stage, task: str
) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        hold_in(warehouse, task)
        resume(run)
        await_hold(warehouse, task)
        suspend(run)
        resume(run)
        suspend(run)
        warehouse.forget_crashes()
        eventually(lambda: not running(run), "what runs goes on to its end")
        resume(run)
        check_drained(stage, run)


def test_a_graph_suspended_between_its_root_and_its_children_goes_on_where_it_stood(stage: Stage) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        for task in names.CHILD_TASKS:
            hold_in(warehouse, task, gap=0)
        resume(run)
        for task in names.CHILD_TASKS:
            await_hold(warehouse, task)
        suspend(run)
        warehouse.forget_crashes()
        eventually(lambda: not running(run))
        resume(run)
        check_drained(stage, run)


@pytest.mark.parametrize("task", EACH_TASK)
def test_a_graph_replaced_during_a_task_loses_and_doubles_nothing(stage: Stage, task: str) -> None:
    """As `caves deploy` does it while events flow (PITFALLS 13, 15)."""
    warehouse = stage.warehouse
    with warehouse.session() as run:
        hold_in(warehouse, task)
        resume(run)
        await_hold(warehouse, task)
        for file in ("050_streams", "070_tasks", "090_resume"):
            for statement in statements(warehouse, file):
                run(statement)
        check_drained(stage, run)


def statements(warehouse: CrashWarehouse, file: str) -> Iterator[str]:
    """The statements of a file of deploy/, as the snow CLI would send them."""
    values = {**sql_files.defaults(ROOT), **warehouse.target.environment}
    for _, statement in sql_files.statements(ROOT, [Path("deploy") / f"{file}.sql"], values):
        yield statement


@pytest.mark.parametrize("task", EACH_TASK)
def test_a_graph_started_by_hand_during_its_scheduled_run_does_everything_once(
    stage: Stage, task: str
) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        before = run(BY_HAND)[0][0]
        hold_in(warehouse, task)
        resume(run)
        await_hold(warehouse, task)
        for _ in range(2):
            run(f"EXECUTE TASK {names.ROOT_TASK}")
        run(f"CALL {TASKS[other_than(task)]}()")
        stage.warehouse.forget_crashes()
        eventually(lambda: run(BY_HAND)[0][0] == before + 2, "both have ended")
        check_drained(stage, run)


def other_than(task: str) -> str:
    return next(other for other in names.TASKS if other != task)


@pytest.mark.parametrize("task", EACH_TASK)
def test_a_warehouse_killed_during_a_task_says_so_and_goes_on_by_itself(stage: Stage, task: str) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        hold_in(warehouse, task, gap=stage.courses[TASKS[task]].decided - 1)
        resume(run)
        await_hold(warehouse, task)
    warehouse.kill()
    warehouse.start()
    with warehouse.session() as run:
        interrupted = f"SELECT NAME FROM {HISTORY} WHERE STARTSWITH(ERROR_MESSAGE, '{INTERRUPTED}')"
        assert (short(task),) in run(interrupted)
        check_drained(stage, run)


@pytest.mark.parametrize("task", EACH_TASK[1:])
def test_a_child_that_was_suspended_does_its_backlog_when_it_is_resumed(stage: Stage, task: str) -> None:
    warehouse = stage.warehouse
    with warehouse.session() as run:
        resume(run)
        run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
        run(f"ALTER TASK {task} SUSPEND")
        eventually(lambda: not running(run))
        stage.scenario.reset(run)
        run(f"ALTER TASK {names.ROOT_TASK} RESUME")
        eventually(lambda: len(waiting(run)) == 1, "only its own stream waits")
        resume(run)
        check_drained(stage, run)
