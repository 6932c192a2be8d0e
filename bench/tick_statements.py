"""How many statements a tick costs, full and empty: on an account each is a round trip and a compilation.

They are counted in the warehouse's own history, apart from the questions of Snowpark for the columns of a
statement, which are compiled and not run. A count does not vary: one turn is enough.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.cellar import cellar
from bench.events import Arrivals
from bench.harness import OURS, Bound, Comparison, Options
from bench.outcome import require
from caves_snowpark import names

EVENTS: Final = 10_000
# Of the procedure that reads RAW, and of each that reads STAGING.
_MOST_OF_THE_FIRST: Final = 8
_MOST_OF_THE_OTHERS: Final = 5


def run(options: Options) -> Iterator[Comparison]:
    events = options.count(EVENTS)
    arrivals = Arrivals(events)
    with tempfile.TemporaryDirectory() as temporary, cellar(Path(temporary)) as ours:
        options.say("deployment")
        ours.deploy()
        ours.tick_by_its_conditions()
        empty = ours.costs()
        ours.ingest(arrivals.take(events))
        ours.tick_by_its_conditions()
        require(OURS, ours.outcome(), arrivals.truth())
        full = ours.costs()
    called = sum(cost.most_statements for cost in empty.values())
    yield Comparison("an empty tick", "statements", {OURS: [float(called)]}, (Bound(0),))
    for procedure in names.TASK_PROCEDURES.values():
        cost = full[procedure.rpartition(".")[2]]
        first = procedure == names.DISTRIBUTE_RAW_EVENTS
        yield Comparison(
            f"{procedure} on {events:,} events",
            "statements",
            {OURS: [float(cost.most_statements)]},
            (Bound(_MOST_OF_THE_FIRST if first else _MOST_OF_THE_OTHERS),),
            {"questions_for_columns": cost.most_describes},
        )
