"""How many events a second the producer makes, and how many it makes and sends.

    python bench/produce.py [--events N] [--bootstrap HOST:PORT]

Without --bootstrap the embedded broker is started for the length of the run. "generated" is the generator
alone, on one thread; "produced" counts until the broker has acknowledged the last event.
"""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime

from ingest.broker import running_broker
from ingest.events import EventStream
from ingest.producer import produce
from ingest.settings import ProducerSettings

START = datetime(2025, 6, 2, 12, tzinfo=UTC)


def measure_generator(events: int) -> float:
    stream = EventStream(ProducerSettings(bootstrap="", events=events, start=START))
    begun = time.perf_counter()
    for done in range(0, events, 1_000):
        stream.take(min(1_000, events - done))
    return events / (time.perf_counter() - begun)


def measure_producer(events: int, bootstrap: str) -> float:
    settings = ProducerSettings(bootstrap, topic=f"bench_{time.time_ns()}", events=events, start=START)
    return produce(settings).events_per_second


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--bootstrap", default="")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        bootstrap = arguments.bootstrap or stack.enter_context(running_broker()).bootstrap
        result = {
            "events": arguments.events,
            "generated_per_second": round(measure_generator(arguments.events)),
            "produced_per_second": round(measure_producer(arguments.events, bootstrap)),
        }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
