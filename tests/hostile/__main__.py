"""`python -m tests.hostile --events 1000000 --seed 1`: the flood, with its report."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from ingest.broker import running_broker
from ingest.topics import create_topic
from tests.engines.engine import Snowcellar
from tests.hostile.flood import PARTITIONS, flood


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="messages to send (100,000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same messages")
    parser.add_argument("--tick", type=int, default=20_000, help="messages between two ticks (20,000)")
    parser.add_argument("--share", type=float, default=0.2, help="how many are hostile (0.2)")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger(flood.__module__).setLevel(logging.INFO)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_broker() as broker,
        Snowcellar.serve(Path(folder)) as engine,
    ):
        create_topic(broker.bootstrap, "hostile", partitions=PARTITIONS)
        result = flood(
            engine,
            broker.bootstrap,
            "hostile",
            events=options.events,
            seed=options.seed,
            tick=options.tick,
            share=options.share,
        )
    sys.stdout.write(f"{result}\n")
    for wrong in result.wrong[:10]:
        sys.stdout.write(f"not where it belongs: {wrong}\n")
    accounted = result.raw_rows == result.messages and not result.wrong and not result.broken_invariants
    return 0 if accounted else 1


if __name__ == "__main__":
    sys.exit(main())
