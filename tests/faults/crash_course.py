"""How every procedure goes when nothing fails, and what must be there after one of them died half-way."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from caves_snowpark import names
from tests.faults.crash_client import FragileClient
from tests.faults.crash_hook import HOLD
from tests.faults.crash_scenario import (
    CHILDREN,
    PROCEDURES,
    TO_THE_END,
    Scenario,
    State,
    after,
    broken_invariants,
    change,
    differences,
    prepared,
    run_to_the_end,
)
from tests.faults.crash_warehouse import CrashWarehouse, Run, kept_folder, short


@dataclass(frozen=True)
class Course:
    """How an undisturbed call of a procedure goes."""

    statements: tuple[tuple[str, str], ...]
    effect: State

    def gaps(self) -> list[int]:
        """Before the first statement, and after each."""
        return list(range(len(self.statements) + 1))

    def gaps_after_work(self) -> list[int]:
        """Before the first statement, and after each that does more than ask for a result's columns."""
        return [0, *(gap for gap in self.gaps()[1:] if self.statements[gap - 1][0] == "sent")]

    def gaps_at_decision(self) -> list[int]:
        """The last gap in which nothing is kept, and the first in which everything is."""
        return [self.decided - 1, self.decided]

    @property
    def decided(self) -> int:
        """The first gap in which the effect stays: COMMIT, or the only write, was answered."""
        texts = [text.split()[0] if what == "sent" else "" for what, text in self.statements]
        return 1 + texts.index("COMMIT" if "COMMIT" in texts else "MERGE")


@dataclass(frozen=True)
class Undisturbed:
    """The scenario when nothing fails: its start, what each procedure does, after the tasks, after all."""

    start: State
    courses: Mapping[str, Course]
    end_of_tasks: State
    end: State


@dataclass(frozen=True)
class Stage(Undisturbed):
    """The scenario in a running warehouse, and how it goes when nothing fails."""

    scenario: Scenario

    @property
    def warehouse(self) -> CrashWarehouse:
        return self.scenario.warehouse


@contextmanager
def staged(folder: Path, **options: Any) -> Iterator[Stage]:
    """The scenario at its start, in a running warehouse of its own."""
    known = _undisturbed()
    with prepared(folder, **options) as scenario:
        yield Stage(known.start, known.courses, known.end_of_tasks, known.end, scenario)


@cache
def _undisturbed() -> Undisturbed:
    with prepared(kept_folder()) as scenario, scenario.warehouse.session() as run:
        start = scenario.state(run)
        courses = {}
        for procedure in PROCEDURES:
            scenario.reset(run)
            assert differences(start, scenario.state(run)) == {}
            courses[procedure] = _record(scenario, run, procedure)
        scenario.reset(run)
        for procedure in names.TASK_PROCEDURES.values():
            run(f"CALL {procedure}()")
        end_of_tasks = scenario.state(run)
        run_to_the_end(run)
        return Undisturbed(start, courses, end_of_tasks, scenario.state(run))


def _record(scenario: Scenario, run: Run, procedure: str) -> Course:
    warehouse, before = scenario.warehouse, scenario.state(run)
    warehouse.clear_said()
    run(f"CALL {procedure}()")
    said = warehouse.said(short(procedure))
    assert said[-1][0] == "ended"
    return Course(tuple(said[:-1]), change(before, scenario.state(run)))


def hold(warehouse: CrashWarehouse, gaps: Mapping[str, int]) -> list[FragileClient]:
    """Call procedures at the same time, each by a client of its own, and stop each in its gap."""
    warehouse.clear_said()
    callers = []
    for procedure, gap in gaps.items():
        warehouse.crash(short(procedure), gap, HOLD)
        caller = FragileClient(warehouse)
        caller.begin(f"CALL {procedure}()")
        warehouse.await_said(short(procedure), "held")
        callers.append(caller)
    return callers


def check(stage: Stage, run: Run, gaps: Mapping[str, int]) -> None:
    """All or nothing of each procedure, by its gap; and after everything ran again, nothing is amiss."""
    stage.warehouse.forget_crashes()
    kept = [stage.courses[name].effect for name, gap in gaps.items() if gap >= stage.courses[name].decided]
    assert differences(after(stage.start, *kept), stage.scenario.state(run)) == {}, f"after {gaps}"
    if set(gaps) <= set(CHILDREN):
        again: Iterable[str] = CHILDREN
        end = after(stage.start, *(stage.courses[child].effect for child in CHILDREN))
    elif names.REPLAY_REJECTED not in gaps:
        again, end = names.TASK_PROCEDURES.values(), stage.end_of_tasks
    else:
        again, end = TO_THE_END, stage.end
    for procedure in again:
        run(f"CALL {procedure}()")
    assert differences(end, stage.scenario.state(run)) == {}, f"in the end, after {gaps}"
    assert broken_invariants(stage.warehouse) == [], f"after {gaps}"
