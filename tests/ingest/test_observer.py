"""Facts go to every observer, and none of them can hurt the ingestor."""

import inspect
import logging
from typing import Any

import pytest

from ingest.errors import FencedError, WarehouseUnreachable
from ingest.observer import BatchReport, Observer, Observers

REPORT = BatchReport(3, 120, 0.1, 0.4, {0: 3}, 3, {0: 0})
FACTS: dict[str, tuple[Any, ...]] = {
    "turned": (),
    "offsets_read": ({0: 0},),
    "batch_committed": (REPORT,),
    "retried": (WarehouseUnreachable("127.0.0.1:1", "gone"),),
    "partitions_owned": (frozenset({0}),),
    "paused": (frozenset({0}),),
    "buffered": (120, 3),
    "lag": (0, 7),
    "repeated": (0, 2),
    "gap_recorded": (0, None, "RETENTION"),
    "fenced": (FencedError("t", {}, {}),),
}


def _recorder() -> tuple[Observer, dict[str, tuple[Any, ...]]]:
    seen: dict[str, tuple[Any, ...]] = {}

    def note(name: str) -> Any:
        return lambda _, *arguments: seen.update({name: arguments})

    return type("Recorder", (Observer,), {name: note(name) for name in FACTS})(), seen


def test_facts_of_this_test_are_all_that_there_are() -> None:
    assert FACTS.keys() == {name for name, _ in inspect.getmembers(Observer, inspect.isfunction)}


@pytest.mark.parametrize("fact", FACTS)
def test_each_fact_reaches_every_observer_and_no_fault_of_one_leaves_it(
    fact: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of the observer")

    broken = type("Broken", (Observer,), {fact: fail})()
    (first, one), (second, two) = _recorder(), _recorder()
    with caplog.at_level(logging.WARNING):
        getattr(Observers(first, broken, second), fact)(*FACTS[fact])
    assert one == two == {fact: FACTS[fact]}
    assert [record.getMessage() for record in caplog.records] == [
        "Broken failed: ZeroDivisionError: of the observer"
    ]
    # One that sees nothing takes them all.
    getattr(Observer(), fact)(*FACTS[fact])
