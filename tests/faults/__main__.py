"""`make faults ROUNDS=n`: break the pipeline at random moments, heal it, and check everything each time."""

import argparse
import logging
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults import report, rounds, world
from tests.faults.apache_kafka.jars import KafkaUnavailable
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.rounds import Outcome

# A world grows with every round, and every round checks all of it: a new one keeps the rounds short.
_ROUNDS_A_WORLD: Final = 25


def main() -> int:
    """Run the rounds; the exit code is 1 when one failed."""
    arguments = _arguments()
    logging.basicConfig(level=logging.DEBUG if arguments.verbose else logging.CRITICAL)
    warnings.simplefilter("ignore")
    choice = _choice(arguments)
    outcomes: list[Outcome] = []
    try:
        while len(outcomes) < arguments.rounds:
            _series(arguments, choice, outcomes)
    except KafkaUnavailable as error:
        _say(f"{error}. BROKER=embedded needs neither, and leaves out what only Apache Kafka survives.")
        return 2
    except KeyboardInterrupt:
        _say("interrupted")
    finally:
        if outcomes:
            _say(report.table(outcomes))
            if arguments.report:
                report.write(outcomes, arguments.report, _repeat(arguments, arguments.seed, arguments.rounds))
    return 0 if outcomes and all(outcome.passed for outcome in outcomes) else 1


def _series(arguments: argparse.Namespace, choice: Sequence[Fault], outcomes: list[Outcome]) -> None:
    """Rounds in one world, up to the first that fails: what is broken stays broken."""
    folder = Path(tempfile.mkdtemp(prefix="caves-faults-"))
    with world.running(arguments.broker, folder, arguments.nodes) as alive:
        for _ in range(min(_ROUNDS_A_WORLD, arguments.rounds - len(outcomes))):
            planned = rounds.plan(arguments.seed + len(outcomes), choice)
            outcome = rounds.carry_out(planned, alive)
            outcomes.append(outcome)
            _tell(len(outcomes), outcome)
            if not outcome.passed:
                _say(f"     kept: {folder}\n     again: {_repeat(arguments, planned.seed, 1)}")
                return
    shutil.rmtree(folder)


def _tell(number: int, outcome: Outcome) -> None:
    verdict = "ok    " if outcome.passed else "FAILED"
    people = f"{outcome.plan.ingestors} in" if not outcome.plan.assign else "alone"
    _say(
        f"{number:>4} {verdict} {outcome.seconds:>5.1f} s  {people:<5} {outcome.plan.events:>5} ev"
        f"  {outcome.plan.name}"
    )
    for problem in outcome.problems:
        _say(f"     {problem}")


def _repeat(arguments: argparse.Namespace, seed: int, count: int) -> str:
    """The command that does the same again."""
    words = [f"make faults ROUNDS={count} SEED={seed}"]
    words += [f"ONLY={arguments.only}"] if arguments.only else []
    words += [f"BROKER={arguments.broker}"] if arguments.broker != "kafka" else []
    words += [f"NODES={arguments.nodes}"] if arguments.nodes != 1 else []
    return " ".join(words)


def _choice(arguments: argparse.Namespace) -> list[Fault]:
    """The faults to choose from; a name that is none ends the program with the list of those there are."""
    wanted = arguments.only.split(",") if arguments.only else list(FAULTS)
    if unknown := [name for name in wanted if name not in FAULTS]:
        sys.exit(f"There is no fault {', '.join(unknown)}; there are: {', '.join(FAULTS)}.")
    kafka = arguments.broker == "kafka"
    found = [
        FAULTS[name] for name in wanted if FAULTS[name].possible_with(kafka=kafka, nodes=arguments.nodes)
    ]
    if not found:
        sys.exit(f"{', '.join(wanted)}: not possible with BROKER={arguments.broker} NODES={arguments.nodes}.")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only", default="", help="names of faults, with commas between")
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="of Apache Kafka")
    parser.add_argument("--report", type=Path, help="write the table here too, as .md or .json")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
