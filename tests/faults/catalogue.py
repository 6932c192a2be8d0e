"""The faults. Each is a function that breaks something, yields while it is broken, and mends it.

What a fault needs to be possible stands in its decorator. Two may be in force at once, so none takes for
granted that the rest of the world is well; `World.heal` mends what one could not.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from random import Random
from threading import Event, Thread
from typing import Any, Final

from confluent_kafka import KafkaException
from snowflake.connector.errors import Error as ConnectorError

from caves_cli.errors import CavesError
from caves_snowpark import names
from ingest.errors import IngestError
from tests.faults.apache_kafka.cluster import KafkaCluster, wait_until
from tests.faults.ingestors import PAST_THE_SESSION_TIMEOUT_SECONDS
from tests.faults.proxy import Treatment
from tests.faults.warehouse import INGEST_NETWORK_SECONDS
from tests.faults.world import GROUP, TOPIC, World

# An ingestor that has just been started takes so long, on a busy machine, to its first batch.
_AMBUSH_SECONDS: Final = 12.0

Break = Callable[[World, Random], Iterator[None]]


@dataclass(frozen=True)
class Fault:
    """One way to break the pipeline."""

    name: str
    says: str
    _break: Break
    # For how long it is in force, from and to.
    hold_seconds: tuple[float, float] = (0.3, 1.5)
    # How many ingestors it needs, in one consumer group when more than 0 is said.
    ingestors: int = 0
    needs_kafka: bool = False
    # It waits for something that another fault could keep from coming.
    alone: bool = False
    nodes: int = 1

    def possible_with(self, *, kafka: bool, nodes: int) -> bool:
        return (kafka or not self.needs_kafka) and nodes >= self.nodes

    def in_force(self, world: World, chance: Random) -> AbstractContextManager[None]:
        return contextmanager(self._break)(world, chance)


FAULTS: Final[dict[str, Fault]] = {}


def fault(**needs: Any) -> Callable[[Break], Break]:
    """Enter a function into the catalogue, under its own name."""

    def enter(broken: Break) -> Break:
        name = broken.__name__.replace("_", "-")
        assert broken.__doc__, f"{name} does not say what it does"
        FAULTS[name] = Fault(name, broken.__doc__, broken, **needs)
        return broken

    return enter


@fault()
def ingestor_killed(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of an ingestor; its service manager starts it again."""
    chance.choice(world.ingestors).kill()
    yield


@fault()
def warehouse_killed(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of the warehouse; it is started again on its file."""
    world.warehouse.kill()
    yield
    world.warehouse.start()


@fault(hold_seconds=(0.0, 0.1))
def worker_killed(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of the processes in which procedures run, again and again for two seconds."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if workers := world.warehouse.workers:
            _kill(chance.choice(workers))
        time.sleep(chance.uniform(0.05, 0.4))
    yield


@fault(needs_kafka=True)
def broker_killed(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of every node of the broker; its log is kept."""
    _kafka(world).kill()
    yield
    _kafka(world).start_nodes()


@fault(hold_seconds=(1.0, 4.0))
def broker_unreachable(world: World, chance: Random) -> Iterator[None]:
    """SIGSTOP of the broker: connections stay open and nobody answers."""
    world.broker.pause()
    yield
    world.broker.resume()


@fault(hold_seconds=(2.0, 3.0))
def broker_slow(world: World, chance: Random) -> Iterator[None]:
    """The broker works a twentieth of a second, then stands still for up to half of one."""
    over = Event()

    def falter() -> None:
        while not over.is_set():
            world.broker.pause()
            over.wait(chance.uniform(0.1, 0.5))
            world.broker.resume()
            over.wait(0.05)

    thread = Thread(target=falter)
    thread.start()
    yield
    over.set()
    thread.join()


@fault(needs_kafka=True, nodes=3, hold_seconds=(1.0, 3.0))
def leader_changed(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of the node that leads a partition; later it leads again."""
    cluster = _kafka(world)
    with suppress(KafkaException):
        # With another fault in force there may be nobody to ask, and so nothing to change.
        leaders = sorted(cluster.leaders(TOPIC).values())
        cluster.node(chance.choice(leaders)).kill()
    yield
    cluster.start_nodes()
    with suppress(KafkaException):
        cluster.elect_preferred_leaders(TOPIC)


@fault(hold_seconds=(1.0, 2.5))
def warehouse_refuses(world: World, chance: Random) -> Iterator[None]:
    """Two of three statements of the ingestors get an error instead of an answer."""
    kinds = (Treatment.FORWARD, Treatment.REFUSE, Treatment.UNAVAILABLE)
    # A login has no statement, and is let through.
    world.proxy.rule = lambda statement: chance.choice(kinds) if statement else Treatment.FORWARD
    yield
    world.proxy.heal()


@fault(hold_seconds=(1.0, 5.0))
def warehouse_hangs(world: World, chance: Random) -> Iterator[None]:
    """SIGSTOP of the warehouse: connections stay open and nobody answers."""
    world.warehouse.pause()
    yield
    world.warehouse.resume()


@fault(hold_seconds=(1.0, 2.5))
def warehouse_disconnects(world: World, chance: Random) -> Iterator[None]:
    """A third of the ingestors' connections breaks before the request, a third before the answer."""
    world.proxy.rule = lambda _: chance.choice((Treatment.FORWARD, Treatment.CUT, Treatment.DROP_ANSWER))
    yield
    world.proxy.heal()


@fault(hold_seconds=(1.0, 2.5))
def answer_lost(world: World, chance: Random) -> Iterator[None]:
    """The connection breaks before the answer to every second COMMIT, INSERT or UPDATE, and works again."""
    world.proxy.rule = _answers_of(lambda: chance.random() < 0.5)
    yield
    world.proxy.heal()


@fault(hold_seconds=(1.0, 2.5))
def answer_lost_for_long(world: World, chance: Random) -> Iterator[None]:
    """After a COMMIT or UPDATE the network is gone for longer than the ingestor's client repeats."""
    gone: list[float] = []
    answers = _answers_of(lambda: True, (chance.choice(("COMMIT", "UPDATE")),))

    def rule(statement: str) -> Treatment:
        return Treatment.CUT if gone else answers(statement)

    world.proxy.on_dropped = lambda: gone.append(time.monotonic())
    world.proxy.rule = rule
    yield
    if _happens(lambda: bool(gone)):
        time.sleep(max(0.0, gone[0] + INGEST_NETWORK_SECONDS + 1 - time.monotonic()))
    world.proxy.heal()


@fault(hold_seconds=(0.5, 1.5))
def killed_after_commit(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of the warehouse between a COMMIT and its answer."""
    yield from _killed_after("COMMIT", world)


@fault(hold_seconds=(0.5, 1.5))
def killed_in_a_load(world: World, chance: Random) -> Iterator[None]:
    """kill -9 of the warehouse between the INSERT of a batch and the move of its offsets."""
    yield from _killed_after("INSERT", world)


@fault(ingestors=1, hold_seconds=(1.0, 3.0))
def ingestor_joins(world: World, chance: Random) -> Iterator[None]:
    """One more ingestor joins the group; the partitions are shared anew."""
    world.hire()
    yield


@fault(ingestors=2, hold_seconds=(0.5, 2.0))
def ingestor_leaves(world: World, chance: Random) -> Iterator[None]:
    """SIGTERM of an ingestor: it finishes its batch and leaves the group to the others."""
    world.dismiss()
    yield


@fault(ingestors=2, hold_seconds=(PAST_THE_SESSION_TIMEOUT_SECONDS, PAST_THE_SESSION_TIMEOUT_SECONDS + 1))
def zombie(world: World, chance: Random) -> Iterator[None]:
    """SIGSTOP of an ingestor until its partitions have moved; then it wakes up."""
    asleep = chance.choice(world.ingestors)
    asleep.pause()
    yield
    asleep.resume()


@fault()
def batch_redelivered(world: World, chance: Random) -> Iterator[None]:
    """The shop sends the whole run a second time, byte for byte."""
    world.beside(world.produce_again)
    yield


@fault(needs_kafka=True, alone=True, hold_seconds=(0.0, 0.1))
def group_reset(world: World, chance: Random) -> Iterator[None]:
    """Kafka's committed offsets of the group are set to 0 while the ingestors are away."""
    count = len(world.ingestors)
    world.dismiss(count)
    world.see_out()
    # A member that was killed counts as one until its session is over.
    wait_until(lambda: _kafka(world).reset_group(GROUP, TOPIC))
    yield
    world.staff(count, assign=world.assigned)


@fault()
def redeployed(world: World, chance: Random) -> Iterator[None]:
    """`caves deploy` in full flow."""

    def deploy() -> None:
        # When another fault spoils it, it is done again at the end, as a person would.
        with suppress(CavesError, IngestError, ConnectorError):
            world.warehouse.deploy()
            world.must_deploy = False

    world.must_deploy = True
    world.beside(deploy)
    yield


@fault(hold_seconds=(0.5, 2.0))
def tasks_suspended(world: World, chance: Random) -> Iterator[None]:
    """The root of the task graph is suspended, and a child of it; both are resumed later."""
    tasks = (names.ROOT_TASK, chance.choice(names.CHILD_TASKS))

    def suspend() -> None:
        # With the warehouse away nothing can be suspended; the other fault is enough then.
        with suppress(IngestError, ConnectorError), world.warehouse.open() as session:
            for task in tasks:
                session.cursor().execute(f"ALTER TASK {task} SUSPEND")

    world.beside(suspend)
    yield


def _kafka(world: World) -> KafkaCluster:
    assert world.broker.cluster is not None
    return world.broker.cluster


def _killed_after(verb: str, world: World) -> Iterator[None]:
    dead = Event()

    def kill() -> None:
        if not dead.is_set():
            dead.set()
            world.warehouse.kill()

    world.proxy.on_dropped = kill
    world.proxy.rule = _answers_of(lambda: not dead.is_set(), (verb,))
    yield
    _happens(dead.is_set)
    world.proxy.heal()
    world.warehouse.start()


def _happens(event: Callable[[], bool]) -> bool:
    """Give a fault that lies in wait for a statement the time to meet one; whether it did."""
    deadline = time.monotonic() + _AMBUSH_SECONDS
    while not event() and time.monotonic() < deadline:
        time.sleep(0.05)
    return event()


def _answers_of(
    drops: Callable[[], bool], verbs: tuple[str, ...] = ("COMMIT", "INSERT", "UPDATE")
) -> Callable[[str], Treatment]:
    """Drop the answer of these statements, as often as `drops` says."""

    def rule(statement: str) -> Treatment:
        matches = statement.upper().startswith(verbs) and drops()
        return Treatment.DROP_ANSWER if matches else Treatment.FORWARD

    return rule


def _kill(pid: int) -> None:

    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
