"""Comparisons: several contestants do the same work in turns, so that a noisy machine is noisy for all."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bench.memory import Memory

Work = Callable[[], float]
"""One turn of a contestant; returns its figure. It raises when the outcome is wrong."""

OURS: Final = "caves"


@dataclass(frozen=True)
class Options:
    """How much, and how often: `scale` shortens or lengthens the work of every contestant alike."""

    runs: int = 3
    scale: float = 1.0
    say: Callable[[str], None] = lambda _: None
    memory: Memory = field(default_factory=Memory)

    def count(self, full: int) -> int:
        return max(1, round(full * self.scale))


@dataclass(frozen=True)
class Target:
    """What ours is to reach: at least, or at most, `ratio` times what `beside` shows in the same run."""

    beside: str
    ratio: float
    at_least: bool

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.at_least else ratio <= self.ratio


@dataclass(frozen=True)
class Bound:
    """A figure that ours is to keep to, whatever others do; `unit` is that of the comparison."""

    most: float


@dataclass
class Comparison:
    """The figures of one piece of work: `figures[contestant]` has a value for each run, in `unit`."""

    work: str
    unit: str
    figures: dict[str, list[float]]
    targets: tuple[Target | Bound, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def median(self, contestant: str) -> float:
        return statistics.median(self.figures[contestant])

    def spread(self, contestant: str) -> tuple[float, float]:
        return min(self.figures[contestant]), max(self.figures[contestant])

    def ratio(self, beside: str) -> float:
        """The median of ours to theirs, run by run."""
        pairs = zip(self.figures[OURS], self.figures[beside], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    def verdicts(self) -> list[tuple[Target | Bound, float, bool]]:
        """For each target: the figure that counts, and whether it is met."""
        return [(target, *self._judged(target)) for target in self.targets]

    def _judged(self, target: Target | Bound) -> tuple[float, bool]:
        if isinstance(target, Bound):
            figure = self.median(OURS)
            return figure, figure <= target.most
        figure = self.ratio(target.beside)
        return figure, target.is_met(figure)

    def as_json(self) -> dict[str, Any]:
        return {
            "work": self.work,
            "unit": self.unit,
            "figures": {
                name: {
                    "median": self.median(name),
                    "lowest": self.spread(name)[0],
                    "highest": self.spread(name)[1],
                    **({"ours_to_it": self.ratio(name)} if name != OURS and OURS in self.figures else {}),
                }
                for name in self.figures
            },
            "targets": [
                {
                    "beside": target.beside if isinstance(target, Target) else OURS,
                    "target": describe(target, self.unit),
                    "found": figure,
                    "met": met,
                }
                for target, figure, met in self.verdicts()
            ],
            "facts": self.facts,
        }


def describe(target: Target | Bound, unit: str) -> str:
    if isinstance(target, Bound):
        return f"at most {target.most:g} {unit}"
    return f"at {'least' if target.at_least else 'most'} {target.ratio:.3g} times {target.beside}"


def in_turns(contestants: Mapping[str, Work], options: Options) -> dict[str, list[float]]:
    """A figure of each contestant for each run; who begins changes from run to run."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for run in range(options.runs):
        first = run % len(names)
        for name in names[first:] + names[:first]:
            options.say(f"run {run + 1} of {options.runs}: {name}")
            with options.memory.of(name):
                found[name].append(contestants[name]())
    return found
