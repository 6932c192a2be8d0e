"""One tick over a backlog: every raw event to staging, production and stock, checked against the truth.

Ours is the four procedures, called on the local warehouse; beside it the same work by hand in DuckDB, and by
dbt-duckdb. Each turn begins with a copy of the same state, started anew; what is loaded before the tick is
not timed. Snowpark's local testing runs the same procedures over so few events that it ends, event by event.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.by_dbt import DBT, ByDbt
from bench.by_hand import ByHand, copy_of
from bench.by_local_testing import LOCAL_TESTING
from bench.by_local_testing import tick as local_tick
from bench.cellar import cellar, copied
from bench.events import Arrivals
from bench.harness import OURS, Comparison, Options, Target, in_turns
from bench.outcome import require

EVENTS: Final = 1_000_000
LOCAL_EVENTS: Final = 500
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
        ByHand(folder / "empty.duckdb").close()
        dbt = ByDbt(folder)
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

        works = {OURS: ours, BY_HAND: hand, DBT: lambda: dbt.tick(folder / "empty.duckdb", batches, truth)}
        figures = in_turns(works, options)
        yield Comparison(
            f"a tick over a backlog of {events:,} events",
            "s",
            figures,
            (Target(BY_HAND, 1.5, at_least=False), Target(DBT, 1 / 1.8, at_least=False)),
        )
        few = min(events, LOCAL_EVENTS)
        by_event = {OURS: [seconds / events * 1e6 for seconds in figures[OURS]]}
        local = in_turns({LOCAL_TESTING: lambda: local_tick(few) / few * 1e6}, options)
        yield Comparison(
            f"an event of that backlog, beside one of {few:,} on local testing",
            "µs",
            by_event | local,
            (Target(LOCAL_TESTING, 0.01, at_least=False),),
        )
