"""What a number of rounds came to, fault by fault: for a terminal, and as JSON or Markdown for a page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.catalogue import FAULTS
from tests.faults.rounds import Outcome


@dataclass(frozen=True)
class Line:
    """One fault, alone or beside another."""

    fault: str
    says: str
    rounds: int
    passes: int
    in_pairs: int


def lines(outcomes: Sequence[Outcome]) -> list[Line]:
    """One line for each fault that was tried, in the order of the catalogue."""
    found = []
    for fault in FAULTS.values():
        with_it = [outcome for outcome in outcomes if fault.name in _names(outcome)]
        passes = sum(outcome.passed for outcome in with_it)
        pairs = sum(len(outcome.plan.faults) > 1 for outcome in with_it)
        if with_it:
            found.append(Line(fault.name, fault.says, len(with_it), passes, pairs))
    return found


def table(outcomes: Sequence[Outcome]) -> str:
    """For a terminal of 80 columns."""
    rows = [f"  {'fault':<24}{'rounds':>8}{'passes':>8}{'with another':>14}"]
    rows += [
        f"  {line.fault:<24}{line.rounds:>8}{line.passes:>8}{line.in_pairs:>14}" for line in lines(outcomes)
    ]
    passes = sum(outcome.passed for outcome in outcomes)
    rows.append(f"  {'rounds in all':<24}{len(outcomes):>8}{passes:>8}")
    return "\n".join(rows)


def write(outcomes: Sequence[Outcome], path: Path, setting: str) -> None:
    """A Markdown file where the name ends so, JSON otherwise."""
    text = _markdown(outcomes, setting) if path.suffix == ".md" else _json(outcomes, setting)
    path.write_text(text, encoding="utf-8")


def _markdown(outcomes: Sequence[Outcome], setting: str) -> str:
    rows = [f"{len(outcomes)} rounds, {sum(outcome.passed for outcome in outcomes)} passed: `{setting}`", ""]
    rows += [
        "| fault | what happens | rounds | passed | with another |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    rows += [
        f"| {line.fault} | {line.says} | {line.rounds} | {line.passes} | {line.in_pairs} |"
        for line in lines(outcomes)
    ]
    return "\n".join(rows) + "\n"


def _json(outcomes: Sequence[Outcome], setting: str) -> str:
    document: dict[str, Any] = {
        "command": setting,
        "rounds": len(outcomes),
        "passes": sum(outcome.passed for outcome in outcomes),
        "faults": [vars(line) for line in lines(outcomes)],
        "outcomes": [
            {
                "seed": outcome.plan.seed,
                "faults": sorted(_names(outcome)),
                "ingestors": outcome.plan.ingestors,
                "events": outcome.plan.events,
                "seconds": round(outcome.seconds, 1),
                "restarts": outcome.restarts,
                "problems": list(outcome.problems),
            }
            for outcome in outcomes
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _names(outcome: Outcome) -> set[str]:
    return {fault.name for fault in outcome.plan.faults}
