"""The arithmetic of a bench: what a ratio compares, and when a target is missed."""

import importlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import bench.__main__
from bench.__main__ import BENCHES
from bench.harness import OURS, Bound, Comparison, Options, Target, in_turns


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where figures are kept, and no page is written."""
    monkeypatch.setattr("bench.__main__.RESULTS", tmp_path)
    monkeypatch.setattr("bench.page.write", lambda: None)
    return tmp_path


def comparison(*targets: Target | Bound) -> Comparison:
    return Comparison("work", "ms", {OURS: [2.0, 30.0, 4.0], "other": [4.0, 10.0, 8.0]}, targets)


def test_a_ratio_compares_run_by_run_so_that_one_noisy_run_does_not_count() -> None:
    assert comparison().ratio("other") == 0.5
    assert comparison().median(OURS) == 4.0
    assert comparison().spread(OURS) == (2.0, 30.0)


@pytest.mark.parametrize(
    ("target", "figure", "met"),
    [
        (Target("other", 0.4, at_least=True), 0.5, True),
        (Target("other", 0.6, at_least=True), 0.5, False),
        (Target("other", 0.6, at_least=False), 0.5, True),
        (Target("other", 0.4, at_least=False), 0.5, False),
        (Bound(4.0), 4.0, True),
        (Bound(3.9), 4.0, False),
    ],
)
def test_a_target_is_met_or_missed(target: Target | Bound, figure: float, met: bool) -> None:
    assert comparison(target).verdicts() == [(target, figure, met)]


def test_contestants_take_turns_and_another_begins_each_time() -> None:
    clock = count()
    found = in_turns({name: lambda: float(next(clock)) for name in "ab"}, Options(runs=3))
    assert found == {"a": [0.0, 3.0, 4.0], "b": [1.0, 2.0, 5.0]}


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_can_be_run_by_name(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").run)


def test_a_terminal_shows_facts_with_columns_too() -> None:
    found = comparison()
    found.facts = {"a_question": {"caves_ms": 3, "met": True}, "another": {"caves_ms": 4, "met": False}}
    (table,) = bench.__main__.besides(found)
    assert [column.header for column in table.columns] == ["", "caves ms", "met"]
    assert [list(column.cells) for column in table.columns][2] == ["met", "**not met**"]
    assert not list(bench.__main__.besides(comparison()))


def test_a_bench_that_fails_is_told_and_the_others_still_run(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(_: Options) -> Iterator[Comparison]:
        raise SystemExit("other has 1 row too few: no figure counts")

    monkeypatch.setattr("bench.ingest.run", wrong)
    monkeypatch.setattr("bench.start.run", lambda _: iter([comparison()]))
    monkeypatch.setattr("sys.argv", ["bench", "ingest", "start"])
    assert bench.__main__.main() == 1
    assert "ingest failed: other has 1 row too few: no figure counts" in capsys.readouterr().err
    assert [path.name for path in results.iterdir()] == ["start.json"]
