"""One tick of 10,000 new events over a history: what a task graph does all day, beside the same by hand and
by dbt-duckdb in a warm process.

Each turn begins with a copy of a state whose history has gone through the pipeline. What a tick costs should
not grow with the history: the second comparison puts a short one beside a long one.
"""

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
BY_HAND: Final = "DuckDB, by hand"


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

    def by_dbt(self, dbt: ByDbt) -> float:
        return dbt.tick(self.folder / "prepared.duckdb", self.coming, self.truth)


def run(options: Options) -> Iterator[Comparison]:
    events, history, short = (options.count(full) for full in (EVENTS, HISTORY, SHORT_HISTORY))
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
        options.say(f"{short:,} events go through both")
        over_short = f"over {short:,}"
        works = {OURS: long.ours, over_short: prepared(Path(temporary, "short"), short, events).ours}
        yield Comparison(
            f"a tick of {events:,} events over {history:,}, beside one over {short:,}",
            "s",
            in_turns(works, options),
            (Target(over_short, 1.25, at_least=False),),
        )


def prepared(folder: Path, history: int, events: int) -> State:
    """A state with so much history; ours has the coming events set aside."""
    folder.mkdir()
    arrivals = Arrivals(history + events)
    past, coming = list(arrivals.take(history)), list(arrivals.take(events))
    with cellar(folder / "prepared") as ours:
        ours.deploy()
        ours.ingest(past)
        ours.tick()
        ours.ingest(coming)
        ours.set_aside()
    by_hand = ByHand(folder / "prepared.duckdb")
    by_hand.ingest(past)
    by_hand.tick()
    by_hand.close()
    return State(folder, coming, arrivals.truth())
