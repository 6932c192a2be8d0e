"""One round: from its seed a plan, then the plan carried out, and what it came to."""

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.faults import check
from tests.faults.catalogue import Fault
from tests.faults.world import World

log = logging.getLogger(__name__)

_EVENTS: Final = (300, 1_200)
_MOST_INGESTORS: Final = 3
# How often a second fault comes while the first is in force, and how often a lone ingestor needs no group.
_SHARE_OF_PAIRS: Final = 0.35
_SHARE_WITHOUT_GROUP: Final = 0.5


@dataclass(frozen=True)
class Plan:
    """Everything that chance decides about a round before it begins."""

    seed: int
    faults: tuple[Fault, ...]
    ingestors: int
    assign: bool
    events: int
    produce_seconds: float
    # After the producer began; and from the first fault to the second.
    moment_seconds: float
    pause_seconds: float

    @property
    def name(self) -> str:
        return " + ".join(fault.name for fault in self.faults)


@dataclass(frozen=True)
class Outcome:
    """What a round came to."""

    plan: Plan
    seconds: float
    problems: tuple[str, ...] = ()
    restarts: int = 0

    @property
    def passed(self) -> bool:
        return not self.problems


def plan(seed: int, choice: Sequence[Fault]) -> Plan:
    """The round of that seed: the same for the same faults to choose from.

    Seeds that follow one another take the faults in turn, so that each is tried as often as the others.
    """
    chance = Random(f"{seed} plan")
    faults = [choice[seed % len(choice)]]
    others = [fault for fault in choice if not (fault.alone or fault is faults[0])]
    if others and not faults[0].alone and chance.random() < _SHARE_OF_PAIRS:
        faults.append(chance.choice(others))
    least = max(fault.ingestors for fault in faults)
    ingestors = chance.randint(max(1, least), _MOST_INGESTORS)
    produce_seconds = chance.uniform(0.8, 2.5)
    return Plan(
        seed=seed,
        faults=tuple(faults),
        ingestors=ingestors,
        assign=ingestors == 1 and least == 0 and chance.random() < _SHARE_WITHOUT_GROUP,
        events=chance.randint(*_EVENTS),
        produce_seconds=produce_seconds,
        # Also after the last event: the tasks are still at work then.
        moment_seconds=chance.uniform(0.1, produce_seconds + 1.0),
        pause_seconds=chance.uniform(0.0, 0.5),
    )


def carry_out(planned: Plan, world: World) -> Outcome:
    """Break the world as planned, heal it, wait until it has drained, and check it."""
    begun = time.monotonic()
    world.restarts = 0
    try:
        _break(planned, world)
        world.heal()
        world.drain()
        found = check.problems(world)
    # Whatever goes wrong in a round is the round's outcome: the seed must be told, and the next one run.
    except Exception as error:
        log.debug("round %s", planned.seed, exc_info=True)
        found = [f"{type(error).__name__}: {error}"]
    return Outcome(planned, time.monotonic() - begun, tuple(found), world.restarts)


def _break(planned: Plan, world: World) -> None:
    chance = Random(f"{planned.seed} faults")
    world.staff(planned.ingestors, assign=planned.assign)
    world.beside(lambda: world.produce(planned.events, planned.seed, planned.produce_seconds))
    time.sleep(planned.moment_seconds)
    with ExitStack() as broken:
        for number, fault in enumerate(planned.faults):
            if number:
                time.sleep(planned.pause_seconds)
            broken.enter_context(fault.in_force(world, chance))
        time.sleep(max(chance.uniform(*fault.hold_seconds) for fault in planned.faults))
        world.tend()
