"""One tick over a backlog: every raw event to staging, production and stock, checked against the truth.

Ours is the four procedures, called on the local warehouse; beside it the same work by hand in DuckDB. Each
turn begins with a copy of the same state, started anew; what is loaded before the tick is not timed.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.by_hand import ByHand, copy_of
from bench.cellar import cellar, copied
from bench.events import Arrivals
from bench.harness import OURS, Comparison, Options, Target, in_turns
from bench.outcome import require

EVENTS: Final = 1_000_000
BY_HAND: Final = "DuckDB, by hand"


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options.say(f"{events:,} events are made and loaded")
        arrivals = Arrivals(events)
        batches = list(arrivals.take(events))
        truth = arrivals.truth()
        with cellar(folder / "prepared") as prepared:
            prepared.deploy()
            prepared.ingest(batches)
            prepared.set_aside()
        by_hand = ByHand(folder / "prepared.duckdb")
        by_hand.ingest(batches)
        by_hand.close()

        def ours() -> float:
            with copied(folder / "prepared", folder / "turn") as turn:
                # A task graph has ticked before: the workers run, the statements are known.
                turn.tick()
                turn.bring_back()
                begun = time.perf_counter()
                turn.tick()
                seconds = time.perf_counter() - begun
                require(OURS, turn.outcome(), truth)
            return seconds

        def hand() -> float:
            turn = copy_of(folder / "prepared.duckdb", folder / "turn.duckdb")
            begun = time.perf_counter()
            turn.tick()
            seconds = time.perf_counter() - begun
            require(BY_HAND, turn.outcome(), truth)
            turn.close()
            return seconds

        yield Comparison(
            f"a tick over a backlog of {events:,} events",
            "s",
            in_turns({OURS: ours, BY_HAND: hand}, options),
            (Target(BY_HAND, 1.5, at_least=False),),
        )
