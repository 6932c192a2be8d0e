"""One tick of 10,000 new events over a history: what a task graph does all day, beside the same by hand and
by dbt-duckdb in a warm process.

Each turn begins with a copy of a state whose history has gone through the pipeline. What a tick costs should
not grow with the history: the second comparison puts a short one beside a long one, of both.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.by_dbt import DBT, ByDbt
from bench.by_hand import ByHand, copy_of
from bench.cellar import cellar, copied
from bench.events import Arrivals
from bench.harness import OURS, Comparison, Options, Target, in_turns
from bench.outcome import require
from ingest.batch import Batch
from ingest.truth import Truth

EVENTS: Final = 10_000
HISTORY: Final = 1_000_000
SHORT_HISTORY: Final = 100_000
LONGEST_HISTORY: Final = 10_000_000
BY_HAND: Final = "DuckDB, by hand"
# A history goes through in ticks of so many, which fit into memory.
_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True)
class State:
    """Both contestants' states: a history that is done, and the events that come next."""

    folder: Path
    coming: list[Batch]
    truth: Truth

    def ours(self) -> float:
        with copied(self.folder / "prepared", self.folder / "turn") as turn:
            # The workers run, the statements are known: an empty tick has been before.
            turn.tick()
            turn.bring_back()
            begun = time.perf_counter()
            turn.tick()
            seconds = time.perf_counter() - begun
            require(OURS, turn.outcome(), self.truth)
        return seconds

    def by_hand(self) -> float:
        turn = copy_of(self.folder / "prepared.duckdb", self.folder / "turn.duckdb")
        turn.ingest(self.coming)
        begun = time.perf_counter()
        turn.tick()
        seconds = time.perf_counter() - begun
        require(BY_HAND, turn.outcome(), self.truth)
        turn.close()
        return seconds

    def forget(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self.folder)

    def by_dbt(self, dbt: ByDbt) -> float:
        return dbt.tick(self.folder / "prepared.duckdb", self.coming, self.truth)


def run(options: Options) -> Iterator[Comparison]:
    events, history, short, longest = (
        options.count(full) for full in (EVENTS, HISTORY, SHORT_HISTORY, LONGEST_HISTORY)
    )
    with tempfile.TemporaryDirectory() as temporary:
        options.say(f"{history:,} events go through both")
        long = prepared(Path(temporary, "long"), history, events)
        dbt = ByDbt(Path(temporary))
        yield Comparison(
            f"a tick of {events:,} events over {history:,}",
            "s",
            in_turns({OURS: long.ours, BY_HAND: long.by_hand, DBT: lambda: long.by_dbt(dbt)}, options),
            (Target(BY_HAND, 3.0, at_least=False), Target(DBT, 1.0, at_least=False)),
        )
        long.forget()
        options.say(f"{short:,} and {longest:,} events go through both")
        few = prepared(Path(temporary, "short"), short, events)
        many = prepared(Path(temporary, "longest"), longest, events)
        over_short, hand_short = f"over {short:,}", f"{BY_HAND}, over {short:,}"
        works = {OURS: many.ours, over_short: few.ours, BY_HAND: many.by_hand, hand_short: few.by_hand}
        figures = in_turns(works, options)
        by_hand, by_hand_short = figures[BY_HAND], figures.pop(hand_short)
        grown = [over / under for over, under in zip(by_hand, by_hand_short, strict=True)]
        yield Comparison(
            f"a tick of {events:,} events over {longest:,}, beside one over {short:,}",
            "s",
            figures,
            (Target(over_short, 1.25, at_least=False),),
            {"by hand, the long one to the short one": round(statistics.median(grown), 3)},
        )


def prepared(folder: Path, history: int, events: int) -> State:
    """A state with so much history; ours has the coming events set aside."""
    folder.mkdir()
    arrivals = Arrivals(history + events)
    by_hand = ByHand(folder / "prepared.duckdb")
    with cellar(folder / "prepared") as ours:
        ours.deploy()
        for gone in range(0, history, _AT_ONCE):
            past = list(arrivals.take(min(_AT_ONCE, history - gone)))
            ours.ingest(past)
            ours.tick()
            by_hand.ingest(past)
            by_hand.tick()
        coming = list(arrivals.take(events))
        ours.ingest(coming)
        ours.set_aside()
    by_hand.close()
    return State(folder, coming, arrivals.truth())
