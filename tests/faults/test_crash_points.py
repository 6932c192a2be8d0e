"""A failure in every gap between two statements of every procedure, enumerated and not sampled.

Several procedures die in the same round, one after the other or all held at once; each call has one gap to
die in. What must be there afterwards follows from one undisturbed run: a procedure's whole effect once its
last statement that writes was answered, nothing before. Then everything runs to its end, and the state must
be that of the run in which nothing failed.
"""

from collections.abc import Callable, Iterator, Mapping

import pytest

from caves_snowpark import names
from tests.faults.crash_course import Course, Stage, check, hold, staged
from tests.faults.crash_hook import KILL, RAISE, RAISE_SILENTLY
from tests.faults.crash_scenario import CHILDREN, PROCEDURES
from tests.faults.crash_warehouse import short

# Deployment and the scenario come first, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("crash")) as started:
        yield started


Choice = Callable[[str, Course], list[int]]


def every_gap(_: str, course: Course) -> list[int]:
    return course.gaps()


def gaps_at_decision(_: str, course: Course) -> list[int]:
    return course.gaps_at_decision()


EVERY = pytest.param(every_gap, marks=[pytest.mark.exhaustive, pytest.mark.timeout(3_600)])


def rounds(courses: Mapping[str, Course], choice: Choice) -> Iterator[dict[str, int]]:
    """The chosen gaps of all procedures: those of the children together, and one other beside them.

    The others, DISTRIBUTE_RAW_EVENTS and REPLAY_REJECTED, wait for each other by intention.
    """
    left = {procedure: choice(procedure, courses[procedure]) for procedure in PROCEDURES}
    while any(left.values()):
        others = [name for name in PROCEDURES if name not in CHILDREN and left[name]]
        chosen = {name for name in CHILDREN if left[name]} | set(others[:1])
        yield {name: left[name].pop(0) for name in PROCEDURES if name in chosen}


def test_the_scenario_gives_every_procedure_something_to_do(stage: Stage) -> None:
    for procedure, course in stage.courses.items():
        assert any(course.effect.values()), procedure
        assert 0 < course.decided < len(course.gaps())
    assert {name: rows for name, rows in stage.end.items() if name in names.STREAMS and rows} == {}


@pytest.mark.parametrize("gaps_of", [gaps_at_decision, EVERY])
def test_a_worker_killed_in_any_gap_leaves_all_or_nothing_and_the_call_can_run_again(
    stage: Stage, gaps_of: Choice
) -> None:
    die(stage, gaps_of, KILL)


@pytest.mark.parametrize("gaps_of", [gaps_at_decision, EVERY])
def test_an_exception_in_any_gap_leaves_all_or_nothing_and_the_call_can_run_again(
    stage: Stage, gaps_of: Choice
) -> None:
    die(stage, gaps_of, RAISE)


@pytest.mark.parametrize("gaps_of", [EVERY])
def test_an_exception_whose_rollback_is_lost_leaves_all_or_nothing(stage: Stage, gaps_of: Choice) -> None:
    die(stage, gaps_of, RAISE_SILENTLY)


def die(stage: Stage, gaps_of: Choice, how: str) -> None:
    warehouse = stage.warehouse
    for gaps in rounds(stage.courses, gaps_of):
        with warehouse.session() as run:
            stage.scenario.reset(run)
            for procedure, gap in gaps.items():
                warehouse.crash(short(procedure), gap, how)
                with pytest.raises(Exception, match=r"100357"):
                    run(f"CALL {procedure}()")
            check(stage, run, gaps)


@pytest.mark.parametrize("gaps_of", [gaps_at_decision, EVERY])
def test_a_warehouse_killed_in_any_gap_keeps_all_or_nothing_and_goes_on(
    stage: Stage, gaps_of: Choice
) -> None:
    warehouse = stage.warehouse
    for gaps in rounds(stage.courses, gaps_of):
        with warehouse.session() as run:
            stage.scenario.reset(run)
        callers = hold(warehouse, gaps)
        warehouse.kill()
        assert [caller.wait() for caller in callers] == [None] * len(callers)
        warehouse.start()
        with warehouse.session() as run:
            check(stage, run, gaps)


@pytest.mark.parametrize("gaps_of", [EVERY])
def test_a_caller_that_vanishes_in_any_gap_leaves_its_call_to_end(stage: Stage, gaps_of: Choice) -> None:
    """As in Snowflake, where ABORT_DETACHED_QUERY is FALSE; who calls again must not double anything."""
    warehouse = stage.warehouse
    for gaps in rounds(stage.courses, gaps_of):
        with warehouse.session() as run:
            stage.scenario.reset(run)
            for caller in hold(warehouse, gaps):
                caller.vanish()
            # One after the other: what the last ones stage is not to be seen by those before.
            for procedure in gaps:
                warehouse.release(short(procedure))
                warehouse.await_said(short(procedure), "ended")
            check(stage, run, dict.fromkeys(gaps, 1_000))


@pytest.mark.parametrize("gaps_of", [EVERY])
def test_a_session_closed_in_any_gap_ends_its_call_all_or_nothing(stage: Stage, gaps_of: Choice) -> None:
    warehouse = stage.warehouse
    for gaps in rounds(stage.courses, gaps_of):
        with warehouse.session() as run:
            stage.scenario.reset(run)
            for caller in hold(warehouse, gaps):
                caller.log_out()
                caller.vanish()
            check(stage, run, gaps)
